"""What can stand in the way of rules, tiers, packages, corrections and the end of a programme."""

from datetime import datetime
from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from o2o.kernel.money import format_yuan


class ProgrammeEnded(Conflict):
    """The brand's programme is over: nothing is paid in any more."""

    code: ClassVar[str] = "programme.ended"


class ProgrammeChangedMeanwhile(Conflict):
    """Somebody else saved after this page was opened; nothing of theirs is overwritten."""

    code: ClassVar[str] = "programme.changed_meanwhile"


class ProgrammeOutOfRange(Invalid):
    """A rule lies outside of what makes sense."""

    code: ClassVar[str] = "programme.out_of_range"

    def __init__(self, *, field: str, least: int, most: int) -> None:
        """Keep which field and between which ends it may be."""
        super().__init__(field=field, least=least, most=most)


class TiersWrong(Invalid):
    """The tiers do not make a ladder; `problem` is a key of the copy."""

    code: ClassVar[str] = "tier.wrong"

    def __init__(self, *, problem: str, tier_name: str, field: str) -> None:
        """Keep what is wrong with which tier."""
        super().__init__(field=field, problem=problem, tier_name=tier_name)


class TierNotFound(NotFound):
    """The brand has no such tier."""

    code: ClassVar[str] = "tier.not_found"


class TierNotForSale(Conflict):
    """The tier has no price, or is not above the member's own."""

    code: ClassVar[str] = "tier.not_for_sale"


class PackageWrong(Invalid):
    """A package that cannot be offered; `problem` is a key of the copy."""

    code: ClassVar[str] = "package.wrong"

    def __init__(self, *, problem: str, field: str) -> None:
        """Keep what is wrong with it."""
        super().__init__(field=field, problem=problem)


class PackageGone(Gone):
    """The package was withdrawn or replaced meanwhile, or is another brand's."""

    code: ClassVar[str] = "package.gone"


class ReasonMissing(Invalid):
    """What somebody else has to decide on needs a reason of four to two hundred characters."""

    code: ClassVar[str] = "adjustment.reason_missing"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="reason")


class CardUnknown(NotFound):
    """No member of the brand holds a card of that number."""

    code: ClassVar[str] = "adjustment.card_unknown"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="card_no")


class AdjustmentNotFound(NotFound):
    """The brand has no such proposal."""

    code: ClassVar[str] = "adjustment.not_found"


class AdjustmentAlreadyDecided(Conflict):
    """The proposal was approved, rejected or withdrawn before."""

    code: ClassVar[str] = "adjustment.already_decided"

    def __init__(self, *, status: str) -> None:
        """Keep how it stands."""
        super().__init__(status=status)


class AdjustmentExpired(Gone):
    """Nobody decided in time; it has to be proposed again."""

    code: ClassVar[str] = "adjustment.expired"

    def __init__(self, *, expired_at: datetime) -> None:
        """Keep since when."""
        super().__init__(expired_at=expired_at.isoformat())


class OwnProposal(Forbidden):
    """Whoever proposes does not decide."""

    code: ClassVar[str] = "adjustment.own_proposal"


class NotTheProposer(Forbidden):
    """Only whoever proposed takes a proposal back."""

    code: ClassVar[str] = "adjustment.not_proposer"


class PointsOverDailyLimit(Forbidden):
    """So many points are beyond what one person may propose within a day."""

    code: ClassVar[str] = "adjustment.points_over_limit"

    def __init__(self, *, limit: int, left: int) -> None:
        """Keep the limit and what is left of it."""
        super().__init__(field="amount", limit=limit, left=left)


class MoneyOverDailyLimit(Forbidden):
    """So much money is beyond what one person may propose within a day."""

    code: ClassVar[str] = "adjustment.money_over_limit"

    def __init__(self, *, limit_fen: int, left_fen: int) -> None:
        """Keep the limit and what is left of it."""
        super().__init__(
            field="amount", limit_yuan=format_yuan(limit_fen), left_yuan=format_yuan(left_fen)
        )


class EndingNotFound(NotFound):
    """There is no open proposal to end the programme."""

    code: ClassVar[str] = "programme.ending_not_found"


class EndingAlreadyProposed(Conflict):
    """Somebody proposed to end the programme already; that has to be decided first."""

    code: ClassVar[str] = "programme.ending_open"

"""What can stand in the way of a member's wishes about their own data."""

from collections.abc import Sequence
from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from o2o.kernel.money import format_yuan


class StepUpNeeded(Forbidden):
    """It has to be sure that it is the member: the pay PIN, or a WeChat sign-in of this moment."""

    code: ClassVar[str] = "step_up.needed"


class BirthdayUnusable(Invalid):
    """No such day, not in the past, or more than 120 years ago."""

    code: ClassVar[str] = "profile.birthday_unusable"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="birthday")


class GuardianNeeded(Invalid):
    """Under fourteen it is a guardian who agrees (Personal Information Protection Law, 31)."""

    code: ClassVar[str] = "profile.guardian_needed"

    def __init__(self) -> None:
        """Name the field at fault."""
        super().__init__(field="birthday")


class ExportNotFound(NotFound):
    """There is no copy of that name for this member, or it is not ready."""

    code: ClassVar[str] = "export.not_found"


class ExportGone(Gone):
    """The link was used, or its day is over."""

    code: ClassVar[str] = "export.gone"


class DeletionNotConfirmed(Invalid):
    """What was typed is not the word that was asked for."""

    code: ClassVar[str] = "deletion.not_confirmed"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="confirmation")


class BalanceLeft(Conflict):
    """There is money on the card that was neither refunded nor expressly given up."""

    code: ClassVar[str] = "deletion.balance_left"

    def __init__(self, *, principal_fen: int, bonus_fen: int) -> None:
        """Keep what is on the card."""
        super().__init__(
            principal_fen=principal_fen,
            bonus_fen=bonus_fen,
            principal_yuan=format_yuan(principal_fen),
        )


class NotSettled(Conflict):
    """Something about the member's money is under way and has to end first."""

    code: ClassVar[str] = "deletion.not_settled"

    def __init__(self, *, what: Sequence[str]) -> None:
        """Keep what: `hold`, `visit`, `offer`, `refund` or `proposal`."""
        super().__init__(what=list(what))


class DonationUnreadable(Invalid):
    """No whole number of points, or no cause of the brand."""

    code: ClassVar[str] = "donation.unreadable"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="points")

"""What can stand in the way of a movement in the books, named."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from o2o.kernel.errors import Conflict, Invalid, NotFound
from o2o.kernel.money import format_yuan


class InsufficientBalance(Conflict):
    """The card holds less than is asked of it."""

    code: ClassVar[str] = "ledger.insufficient_balance"

    def __init__(self, *, balance_fen: int) -> None:
        """Keep what the card holds."""
        super().__init__(balance_fen=balance_fen, balance_yuan=format_yuan(balance_fen))


class InsufficientPoints(Conflict):
    """The member has fewer points that may be spent now than are asked for."""

    code: ClassVar[str] = "ledger.insufficient_points"

    def __init__(self, *, points: int) -> None:
        """Keep how many points may be spent."""
        super().__init__(points=points)


class BalanceLimitExceeded(Invalid):
    """The card would hold more than a prepaid card of its kind may."""

    code: ClassVar[str] = "ledger.balance_limit_exceeded"

    def __init__(self, *, limit_fen: int, balance_fen: int) -> None:
        """Keep the limit and what the card holds before the top-up."""
        super().__init__(
            field="principal_fen",
            limit_fen=limit_fen,
            balance_fen=balance_fen,
            limit_yuan=format_yuan(limit_fen),
            balance_yuan=format_yuan(balance_fen),
        )


class AmountOutOfRange(Invalid):
    """An amount is zero, negative or beyond anything a counter ever takes."""

    code: ClassVar[str] = "ledger.amount_out_of_range"

    def __init__(self, *, field: str, amount_min: int, amount_max: int) -> None:
        """Keep which field it is and between which amounts (fen or points) it may be."""
        super().__init__(field=field, amount_min=amount_min, amount_max=amount_max)


class AccountNotFound(NotFound):
    """The member has no such account, or the store none in the member's brand."""

    code: ClassVar[str] = "ledger.account_not_found"

    def __init__(self, *, owner: Literal["member", "store"], owner_id: UUID | None) -> None:
        """Keep whose account is missing."""
        super().__init__(field=f"{owner}_id", owner=owner, owner_id=str(owner_id))


class TransferNotFound(NotFound):
    """There is no such transfer of this member."""

    code: ClassVar[str] = "ledger.transfer_not_found"

    def __init__(self, transfer_id: UUID) -> None:
        """Keep which transfer was named."""
        super().__init__(field="transfer_id", transfer_id=str(transfer_id))


class NotReversible(Conflict):
    """The transfer is of a kind that is not taken back this way."""

    code: ClassVar[str] = "ledger.not_reversible"

    def __init__(self, *, kind: str) -> None:
        """Keep what kind of transfer it is."""
        super().__init__(kind=kind)


class AlreadyReversed(Conflict):
    """Less of the transfer is left to take back than is asked for."""

    code: ClassVar[str] = "ledger.already_reversed"

    def __init__(self, *, left: int) -> None:
        """Keep how much (fen or points) may still be taken back."""
        super().__init__(left=left, left_yuan=format_yuan(left))


class AlreadySpent(Conflict):
    """What the transfer brought is no longer there to be taken back."""

    code: ClassVar[str] = "ledger.already_spent"

    def __init__(self, *, left: int) -> None:
        """Keep how much (fen or points) of it is still there."""
        super().__init__(left=left, left_yuan=format_yuan(left))


class HoldNotFound(NotFound):
    """There is no such hold of this member."""

    code: ClassVar[str] = "ledger.hold_not_found"

    def __init__(self, hold_id: UUID) -> None:
        """Keep which hold was named."""
        super().__init__(field="hold_id", hold_id=str(hold_id))


class HoldEnded(Conflict):
    """The hold was posted, voided or has expired."""

    code: ClassVar[str] = "ledger.hold_ended"

    def __init__(self, *, status: str) -> None:
        """Keep how it ended."""
        super().__init__(status=status)


class HoldsOpen(Conflict):
    """Amounts are set aside on a card that is to become one with another, or to come apart."""

    code: ClassVar[str] = "ledger.holds_open"

    def __init__(self, *, holds: int) -> None:
        """Keep how many holds are open."""
        super().__init__(holds=holds)


class NothingToRefund(Conflict):
    """The card holds nothing that could be refunded."""

    code: ClassVar[str] = "ledger.nothing_to_refund"


class RefundTooLate(Conflict):
    """The top-up is older than this refund allows."""

    code: ClassVar[str] = "ledger.refund_too_late"

    def __init__(self, *, until: datetime) -> None:
        """Keep until when it was possible."""
        super().__init__(until=until.isoformat())


class PassedOnToSelf(Invalid):
    """Giver and receiver are one member."""

    code: ClassVar[str] = "ledger.passed_on_to_self"

    def __init__(self) -> None:
        """Name the field at fault."""
        super().__init__(field="to_member_id")


class LotKindDiffers(Invalid):
    """Points are adjusted as points, money as principal or bonus."""

    code: ClassVar[str] = "ledger.lot_kind_differs"

    def __init__(self) -> None:
        """Name the field at fault."""
        super().__init__(field="lot_kind")


class HoldTooLong(Invalid):
    """A hold must end in the future, and soon enough not to be forgotten."""

    code: ClassVar[str] = "ledger.hold_too_long"

    def __init__(self, *, days_max: int) -> None:
        """Keep how long a hold may be."""
        super().__init__(field="expires_at", days_max=days_max)


class MemberMoved(Conflict):
    """The member became one with another, or came apart again, at this very moment."""

    code: ClassVar[str] = "ledger.member_moved"


class BooksOutOfStep(Exception):
    """A write met other rows than the ones read under lock. A defect; the transaction is undone."""

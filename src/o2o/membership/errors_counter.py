"""What can stand in the way at the counter: the member's yes, packages, undoing, shifts."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany
from o2o.kernel.money import format_yuan


class ConfirmationNeeded(Conflict):
    """So much leaves the card only with the member's own yes: on the phone, or by pay PIN."""

    code: ClassVar[str] = "payment.confirmation_needed"

    def __init__(
        self, *, request_id: UUID, visit_id: UUID, amount_fen: int, expires_at: datetime
    ) -> None:
        """Keep which charge it is, in which visit, and until when the yes counts."""
        super().__init__(
            request_id=str(request_id),
            visit_id=str(visit_id),
            amount_fen=amount_fen,
            amount_yuan=format_yuan(amount_fen),
            expires_at=expires_at.isoformat(),
        )


class ChargeRefused(Conflict):
    """The member said no to this charge."""

    code: ClassVar[str] = "payment.refused"


class ChargeNotAsked(NotFound):
    """No such charge waits for this member, or its time is over."""

    code: ClassVar[str] = "payment.not_asked"


class PackageNotOffered(Conflict):
    """The top-up package is not on offer in this store now."""

    code: ClassVar[str] = "package.not_offered"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="package_id")


class TailTooShort(Invalid):
    """A phone is looked up by at least its last four digits."""

    code: ClassVar[str] = "lookup.tail_too_short"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="tail")


class LookupLocked(TooMany):
    """Too many phones were looked up at this pad in a short while."""

    code: ClassVar[str] = "lookup.locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back."""
        super().__init__(retry_after_seconds=retry_after_seconds)


class UndoNotYours(Forbidden):
    """Only whoever made it takes it back, here and within minutes; after that a manager."""

    code: ClassVar[str] = "undo.manager_needed"


class UndoReasonMissing(Invalid):
    """Nothing is undone without saying why."""

    code: ClassVar[str] = "undo.reason_missing"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="reason")


class ManagerRefused(Forbidden):
    """That person is no manager of this store, or the PIN is wrong."""

    code: ClassVar[str] = "undo.manager_refused"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="manager_pin")


class ShiftNotFound(NotFound):
    """There is no such shift in this store."""

    code: ClassVar[str] = "shift.not_found"


class ShiftNotOpen(Conflict):
    """The shift was handed over already."""

    code: ClassVar[str] = "shift.not_open"


class ShiftNotCounted(Conflict):
    """There is nothing to confirm: the shift was not handed over, or somebody was quicker."""

    code: ClassVar[str] = "shift.not_counted"


class CountMoved(Conflict):
    """Money moved while the drawer was counted: look at the sums once more."""

    code: ClassVar[str] = "shift.count_moved"


class DifferenceUnexplained(Invalid):
    """What was counted is not what the books say, and nobody says why."""

    code: ClassVar[str] = "shift.difference_unexplained"

    def __init__(self, *, difference_fen: int) -> None:
        """Keep how much is over (positive) or missing."""
        super().__init__(
            field="reason",
            difference_fen=difference_fen,
            difference_yuan=format_yuan(abs(difference_fen)),
        )


class RemovedTooMuch(Invalid):
    """More is handed in than was counted."""

    code: ClassVar[str] = "shift.removed_too_much"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="removed_yuan")


class DayHasOpenShifts(Conflict):
    """A day closes when all its shifts were handed over."""

    code: ClassVar[str] = "day.has_open_shifts"

    def __init__(self, *, pads: str) -> None:
        """Keep at which pads."""
        super().__init__(pads=pads)


class DayClosed(Conflict):
    """That business day was closed already."""

    code: ClassVar[str] = "day.closed"

    def __init__(self, *, business_on: date) -> None:
        """Keep the day."""
        super().__init__(business_on=business_on.isoformat())


class DayNotOver(Gone):
    """There is no such day to close: it lies ahead, or nobody worked."""

    code: ClassVar[str] = "day.nothing_to_close"

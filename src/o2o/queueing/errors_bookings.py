"""What can stand in the way of a booking, an arrival, or a change of how a store is booked."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import Conflict, Invalid, NotFound


class BookingsNotTaken(Conflict):
    """The store takes no bookings, or none for that queue."""

    code: ClassVar[str] = "booking.not_taken"


class SlotFull(Conflict):
    """Everybody's places at that time are taken; others are near."""

    code: ClassVar[str] = "booking.slot_full"

    def __init__(self, *, starts_at: datetime, nearest: Sequence[datetime]) -> None:
        """Keep the free times that are nearest, nearest first."""
        super().__init__(
            field="starts_at",
            starts_at=starts_at.isoformat(),
            nearest=[at.isoformat() for at in nearest],
        )
        self.nearest = list(nearest)


class SlotNotThere(Invalid):
    """No slot begins at that time; others are near."""

    code: ClassVar[str] = "booking.no_such_slot"

    def __init__(self, *, starts_at: datetime, nearest: Sequence[datetime]) -> None:
        """Keep the free times that are nearest, nearest first."""
        super().__init__(
            field="starts_at",
            starts_at=starts_at.isoformat(),
            nearest=[at.isoformat() for at in nearest],
        )
        self.nearest = list(nearest)


class TimeNotChosen(Invalid):
    """No time was chosen, or something that is no time."""

    code: ClassVar[str] = "booking.time_not_chosen"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="starts_at")


class SlotPast(Invalid):
    """The time is over."""

    code: ClassVar[str] = "booking.in_the_past"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="starts_at")


class SlotTooFar(Invalid):
    """The time is later than the days that can be booked."""

    code: ClassVar[str] = "booking.too_far_ahead"

    def __init__(self, *, days_ahead_max: int) -> None:
        """Keep how many days ahead can be booked."""
        super().__init__(field="starts_at", days_ahead_max=days_ahead_max)


class PartySizeNotBookable(Invalid):
    """Nothing here is booked for a party of that size."""

    code: ClassVar[str] = "booking.party_size_out_of_range"

    def __init__(self, *, least: int, most: int) -> None:
        """Keep for how many can be booked."""
        super().__init__(field="party_size", least=least, most=most)


class TooManyBookings(Conflict):
    """The person has as many bookings to come here as one may have."""

    code: ClassVar[str] = "booking.too_many"

    def __init__(self, *, live_max: int) -> None:
        """Keep how many one may have."""
        super().__init__(live_max=live_max)


class BookedAlready(Conflict):
    """The person has a booking of that time already, for another party."""

    code: ClassVar[str] = "booking.already_made"

    def __init__(self, *, booking_id: UUID, booking_code: str) -> None:
        """Keep which one."""
        super().__init__(booking_id=str(booking_id), booking_code=booking_code)
        self.booking_id = booking_id


class BookingNotFound(NotFound):
    """There is no such booking, or not for the one who asks."""

    code: ClassVar[str] = "booking.not_found"


class BookingEnded(Conflict):
    """The booking is over: cancelled, missed, or the person is here already."""

    code: ClassVar[str] = "booking.ended"

    def __init__(self, *, status: str) -> None:
        """Keep how it stands."""
        super().__init__(status=status)


class ArrivedTooEarly(Conflict):
    """Nobody is served first so long before the time."""

    code: ClassVar[str] = "booking.too_early"

    def __init__(self, *, from_at: datetime) -> None:
        """Keep from when on, in the zone of the store."""
        super().__init__(from_at=from_at.isoformat(), from_clock=f"{from_at:%H:%M}")
        self.from_at = from_at


class BookingMissed(Conflict):
    """The time is over by more than the store waits."""

    code: ClassVar[str] = "booking.missed"


class BookingPlanWrong(Invalid):
    """A rule, an exception or a setting cannot mean anything; `problem` says what is wrong."""

    code: ClassVar[str] = "booking_plan.wrong"

    def __init__(self, *, problem: str, field: str) -> None:
        """Keep the problem, for the words, and the field."""
        super().__init__(field=field, problem=problem)


class BookingRulesOverlap(Conflict):
    """Two rules would offer the same places of a queue twice."""

    code: ClassVar[str] = "booking_plan.overlap"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="since")


class BookingPlanGone(NotFound):
    """There is no such rule or exception, or no longer."""

    code: ClassVar[str] = "booking_plan.not_found"


class BookingsWouldLoseTime(Conflict):
    """A change of hours or plan leaves people without the time they booked: to be confirmed."""

    code: ClassVar[str] = "booking.would_lose_time"

    def __init__(self, *, booking_ids: Sequence[UUID], fresh: int) -> None:
        """Keep which, earliest first, and how many of them were not confirmed."""
        ids = [str(booking_id) for booking_id in booking_ids]
        super().__init__(count=len(ids), fresh=fresh, booking_ids=ids)
        self.booking_ids = list(booking_ids)
        self.fresh = fresh

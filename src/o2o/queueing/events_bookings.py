"""What bookings tell others, through the outbox, after the commit."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.events import Event


class BookingMade(Event, frozen=True, kw_only=True):
    """Somebody will come; also when the time was changed."""

    name: ClassVar[str] = "booking.made"

    booking_id: UUID
    store_id: UUID
    member_id: UUID | None
    starts_at: datetime
    party_size: int
    is_rescheduled: bool = False


class BookingCancelled(Event, frozen=True, kw_only=True):
    """Somebody will not come, or the store called it off."""

    name: ClassVar[str] = "booking.cancelled"

    booking_id: UUID
    store_id: UUID
    member_id: UUID | None
    is_by_store: bool


class BookingArrived(Event, frozen=True, kw_only=True):
    """Somebody who booked is here and goes on as a ticket."""

    name: ClassVar[str] = "booking.arrived"

    booking_id: UUID
    store_id: UUID
    member_id: UUID | None
    ticket_id: UUID
    is_late: bool


class BookingNotKept(Event, frozen=True, kw_only=True):
    """Somebody who booked did not come."""

    name: ClassVar[str] = "booking.not_kept"

    booking_id: UUID
    store_id: UUID
    member_id: UUID | None

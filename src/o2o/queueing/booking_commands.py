"""What people ask of bookings and what they are answered: the commands and their results."""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses_bookings import BookingSource, BookingStatus


class BookSlot(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to come at a time; without a queue, to the one that fits the party."""

    request_id: UUID
    store_id: UUID
    # Whoever asks sees the stores of one brand only; None sees all.
    brand_id: UUID | None = None
    starts_at: datetime
    # None: as many as the store says are usual.
    party_size: int | None = None
    queue_id: UUID | None = None
    source: BookingSource
    member_id: UUID | None = None
    fan_id: UUID | None = None
    staff_id: UUID | None = None
    api_key_id: UUID | None = None
    now: datetime


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """A booking as it stands; `is_replay` where it was there before."""

    booking_id: UUID
    code: str
    status: BookingStatus
    store_id: UUID
    store_name: str
    timezone: str
    queue_id: UUID
    starts_at: datetime
    party_size: int
    is_replay: bool


class ChangeBooking(msgspec.Struct, frozen=True, kw_only=True):
    """Something is to be done to a booking, by the store or, with `is_by_guest`, by the person.

    A guest is known by fan or member and reaches own bookings only; `brand_id` and `store_id`
    limit a key or a pad to its own.
    """

    # Where the caller names intentions; what is done already is answered the same without.
    request_id: UUID | None = None
    booking_id: UUID
    brand_id: UUID | None = None
    store_id: UUID | None = None
    is_by_guest: bool = False
    fan_id: UUID | None = None
    member_id: UUID | None = None
    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    reason: str | None = None
    now: datetime


class NewTime(msgspec.Struct, frozen=True, kw_only=True):
    """When to come instead; what is not named stays."""

    starts_at: datetime
    party_size: int | None = None
    queue_id: UUID | None = None


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who booked is here: the number under which the turn comes."""

    booking_id: UUID
    code: str
    ticket_id: UUID
    # As people read and hear it: B019.
    ticket_code: str
    # When it was given; None where it was given before.
    parties_ahead: int | None
    # Came after the grace: in turn with those who did not book.
    is_late: bool
    is_replay: bool

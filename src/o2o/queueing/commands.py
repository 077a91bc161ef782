"""What people ask of queues and what they are answered: the commands and their results."""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import TicketPriority, TicketSource, TicketStatus
from o2o.kernel.geo import Point
from o2o.queueing.rules.moving import Verb
from o2o.queueing.rules.wait_estimate import WaitEstimate

__all__ = [
    "CallNext",
    "CalledTicket",
    "MoveTicket",
    "MoveToQueue",
    "MovedTicket",
    "TakeTicket",
    "TakenTicket",
    "Verb",
    "ticket_code",
]


class TakeTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A party wants a number; without a queue, in the class that fits its size."""

    request_id: UUID
    # May be left out where the queue is named.
    store_id: UUID | None = None
    queue_id: UUID | None = None
    # Whoever asks sees the stores of one brand only; None sees all.
    brand_id: UUID | None = None
    party_size: int
    source: TicketSource
    member_id: UUID | None = None
    fan_id: UUID | None = None
    priority: TicketPriority = TicketPriority.ORDINARY
    # Where the party is, GCJ-02.
    at: Point | None = None
    booking_id: UUID | None = None
    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    now: datetime


class TakenTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The number a party has; of a repeated request, how it stands now."""

    ticket_id: UUID
    queue_id: UUID
    store_id: UUID
    # As people read and hear it: B019.
    code: str
    number: int
    status: TicketStatus
    parties_ahead: int
    # What was promised when it was taken.
    estimate: WaitEstimate | None
    is_replay: bool


class CallNext(msgspec.Struct, frozen=True, kw_only=True):
    """A desk wants the next party of one of its queues."""

    request_id: UUID
    queue_ids: tuple[UUID, ...]
    # What is read and said: "3".
    desk: str
    brand_id: UUID | None = None
    # A pad calls in its own store only; None: wherever the brand does.
    store_id: UUID | None = None
    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    now: datetime


class CalledTicket(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked to come, and where to."""

    ticket_id: UUID
    code: str
    queue_id: UUID
    desk: str
    party_size: int
    is_recall: bool
    called_at: datetime
    call_seq: int
    is_replay: bool


class MoveTicket(msgspec.Struct, frozen=True, kw_only=True):
    """Something is to be done to a ticket, by the store or, with `is_by_guest`, by the party.

    A guest is known by fan or member and reaches own tickets only; `brand_id` and `store_id` limit
    a key or a pad to its own.
    """

    request_id: UUID
    ticket_id: UUID
    brand_id: UUID | None = None
    store_id: UUID | None = None
    is_by_guest: bool = False
    fan_id: UUID | None = None
    member_id: UUID | None = None
    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    # Where it is called again; None: where it was called before.
    desk: str | None = None
    reason: str | None = None
    now: datetime


class MovedTicket(msgspec.Struct, frozen=True, kw_only=True):
    """How a ticket stands after a move; of a repeated request, as it stands now."""

    ticket_id: UUID
    queue_id: UUID
    store_id: UUID
    code: str
    number: int
    status: TicketStatus
    # None unless it waits.
    parties_ahead: int | None
    # None unless this move called it again.
    call_seq: int | None
    is_replay: bool


class MoveToQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A party goes on in another queue of the store, keeping the time since which it waits."""

    request_id: UUID
    ticket_id: UUID
    queue_id: UUID
    # Another size, where it turned out so; None keeps it.
    party_size: int | None = None
    brand_id: UUID | None = None
    store_id: UUID | None = None
    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    reason: str | None = None
    now: datetime


def ticket_code(letter: str, number: int) -> str:
    """Return a number as people read and hear it: B019."""
    return f"{letter}{number:03d}"

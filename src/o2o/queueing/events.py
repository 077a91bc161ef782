"""What queueing tells the other domains, through the outbox, after the commit."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from o2o.kernel.events import Event


class TicketTaken(Event, frozen=True, kw_only=True):
    """A party has a place in a queue."""

    name: ClassVar[str] = "ticket.taken"

    ticket_id: UUID
    queue_id: UUID
    store_id: UUID
    member_id: UUID | None
    fan_id: UUID | None
    parties_ahead: int
    at: datetime


class TicketCalled(Event, frozen=True, kw_only=True):
    """A party is asked to come to a desk, for the first time or again."""

    name: ClassVar[str] = "ticket.called"

    ticket_id: UUID
    # Names this call among all: one who is told of it is told once.
    call_seq: int
    queue_id: UUID
    store_id: UUID
    desk: str
    is_recall: bool
    at: datetime


class TicketEnded(Event, frozen=True, kw_only=True):
    """A party waits no longer; `status` is the TicketStatus with which it ended."""

    name: ClassVar[str] = "ticket.ended"

    ticket_id: UUID
    queue_id: UUID
    store_id: UUID
    status: str
    # The store cancelled it: the party waits in vain unless it is told.
    by_store: bool
    at: datetime


class QueueChanged(Event, frozen=True, kw_only=True):
    """Something in a queue's day is different: one such event per transaction and queue."""

    name: ClassVar[str] = "queue.changed"

    queue_id: UUID
    store_id: UUID
    business_on: date
    # Grows with every change of that day.
    version: int
    # Whether those who wait, or their order, changed; not so when one who was called is seated.
    is_line_changed: bool = True
    at: datetime


class PromiseMissed(Event, frozen=True, kw_only=True):
    """A party waited longer than the range it was told; the store's apology comes along."""

    name: ClassVar[str] = "wait.promise_missed"

    ticket_id: UUID
    store_id: UUID
    member_id: UUID | None
    # As the store set it: {"template": …, "text": …}.
    apology: dict[str, Any] | None
    median_seconds: int
    waited_seconds: int

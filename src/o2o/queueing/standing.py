"""Tickets in hand, read under the lock of their days: moved in memory, written once."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from o2o.crm.statuses import CallKind, TicketPriority, TicketSource, TicketStatus
from o2o.queueing.moves import move_ticket
from o2o.queueing.rules.wait_estimate import WaitEstimate

ENDED = frozenset(
    {TicketStatus.SEATED, TicketStatus.CANCELLED, TicketStatus.MOVED, TicketStatus.EXPIRED}
)
ACTIVE = frozenset({TicketStatus.WAITING, TicketStatus.CALLED})


class By(Protocol):
    """Who acts: a clerk at a pad, a key; nobody of these for guests and for time itself."""

    @property
    def staff_id(self) -> UUID | None: ...
    @property
    def pad_id(self) -> UUID | None: ...
    @property
    def api_key_id(self) -> UUID | None: ...
    @property
    def now(self) -> datetime: ...


class Clockwork(msgspec.Struct, frozen=True, kw_only=True):
    """Acts when the time has come, or for whoever closed a queue."""

    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    now: datetime


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a ticket's history."""

    from_status: TicketStatus
    to_status: TicketStatus
    move: str
    by: By
    request_id: UUID | None = None
    asked: bytes | None = None
    reason: str | None = None


class Standing(msgspec.Struct, kw_only=True):
    """A ticket as it stands; `was` is the status that the database still has."""

    ticket_id: UUID
    store_id: UUID
    queue_id: UUID
    business_on: date
    number: int
    party_size: int
    status: TicketStatus
    was: TicketStatus
    priority: TicketPriority
    source: TicketSource
    place: int
    returns: int
    member_id: UUID | None
    fan_id: UUID | None
    booking_id: UUID | None
    taken_at: datetime
    called_at: datetime | None
    recalled_at: datetime | None
    ended_at: datetime | None
    travel_seconds: int | None
    promise: WaitEstimate | None
    steps: list[Step] = []

    @property
    def key(self) -> tuple[UUID, date]:
        """Name the row of its day."""
        return self.queue_id, self.business_on

    def move(
        self,
        to: TicketStatus,
        verb: str,
        *,
        by: By,
        request_id: UUID | None = None,
        asked: bytes | None = None,
        reason: str | None = None,
    ) -> None:
        """Move on, in memory. Raises MoveNotAllowed."""
        step = Step(
            from_status=self.status,
            to_status=to,
            move=verb,
            by=by,
            request_id=request_id,
            asked=asked,
            reason=reason,
        )
        move_ticket(self, to)
        self.steps = [*self.steps, step]
        if to is TicketStatus.CALLED:
            self.recalled_at = by.now
            self.called_at = self.called_at or by.now
        if to in ENDED:
            self.ended_at = by.now


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is about to be written."""

    request_id: UUID
    asked: bytes
    ticket: Standing
    kind: CallKind
    desk: str
    at: datetime


def changed_tickets(tickets: Iterable[Standing]) -> list[Standing]:
    """Return those that moved, in the order of their ids."""
    return sorted((ticket for ticket in tickets if ticket.steps), key=lambda t: t.ticket_id)

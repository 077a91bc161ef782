"""What the JSON API of queues is asked and answers: bodies and views."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response

from o2o.crm.statuses import QueueKind, QueueStatus, TicketPriority, TicketSource, TicketStatus
from o2o.queueing.desk_work import CalledTicket, MovedTicket, TakenTicket
from o2o.queueing.queries.queues import QueueState
from o2o.queueing.queries.tickets import TicketView
from o2o.queueing.rules.wait_estimate import WaitEstimate

READ, WRITE = "queues:read", "queues:write"
REASON_CHARS_MAX = 200
DESK_CHARS_MAX = 64
# Beyond any number that a database keeps, the same answer: parties of that size belong nowhere.
INTEGER_MAX = 2**31 - 1

Desk = Annotated[str, msgspec.Meta(min_length=1, max_length=DESK_CHARS_MAX)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]


class TakeNumber(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party of `party_size` wants a number; `request_id` names the intention (UUIDv7)."""

    request_id: UUID
    party_size: int
    member_id: UUID | None = None


class CallParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A desk, named as it is shown and said ("3"), wants the next party."""

    request_id: UUID
    desk: Desk


class ChangeTicket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something is to be done to a ticket. `desk` counts for a recall only; without it the party
    is called to where it was called before.
    """

    request_id: UUID
    desk: Desk | None = None
    reason: Reason | None = None


class TransferTicket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party goes on in another queue of the store, with the time since which it waits."""

    request_id: UUID
    queue_id: UUID
    party_size: int | None = None
    reason: Reason | None = None


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A queue now. `waiting` counts parties; `wait` is that of an ordinary party joining now."""

    id: UUID
    store_id: UUID
    kind: QueueKind
    code: str
    name: str
    name_en: str
    status: QueueStatus
    is_taking: bool
    next_opening_at: datetime | None
    party_size_min: int
    party_size_max: int
    waiting: int
    last_called: str | None
    last_called_number: int | None
    last_called_at: datetime | None
    wait: WaitEstimate | None
    business_on: date
    version: int


class StoreQueuesView(msgspec.Struct, frozen=True, kw_only=True):
    """The queues of a store by rank."""

    store_id: UUID
    queues: list[QueueView]


class TakenView(msgspec.Struct, frozen=True, kw_only=True):
    """The number a party has, and what it was told when it took it."""

    ticket_id: UUID
    queue_id: UUID
    store_id: UUID
    code: str
    number: int
    status: TicketStatus
    parties_ahead: int
    wait: WaitEstimate | None


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked to come, and where to. `call_seq` grows from call to call."""

    call_seq: int
    ticket_id: UUID
    queue_id: UUID
    code: str
    desk: str
    party_size: int
    called_at: datetime


class MovedView(msgspec.Struct, frozen=True, kw_only=True):
    """How a ticket stands after a move."""

    ticket_id: UUID
    queue_id: UUID
    store_id: UUID
    code: str
    number: int
    status: TicketStatus
    parties_ahead: int | None
    call_seq: int | None


class TicketStandsView(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket now. `parties_ahead` and `wait` are null unless it waits."""

    id: UUID
    code: str
    number: int
    store_id: UUID
    store_name: str
    queue_id: UUID
    queue_name: str
    party_size: int
    status: TicketStatus
    priority: TicketPriority
    source: TicketSource
    parties_ahead: int | None
    wait: WaitEstimate | None
    promise: WaitEstimate | None
    desk: str | None
    taken_at: datetime
    called_at: datetime | None
    recalled_at: datetime | None
    ended_at: datetime | None
    can_return: bool
    moved_to_id: UUID | None
    member_id: UUID | None
    business_on: date


def queue_view(state: QueueState) -> QueueView:
    """Return a queue as the API shows it."""
    return QueueView(
        id=state.queue_id,
        store_id=state.store_id,
        kind=state.kind,
        code=state.code,
        name=state.name,
        name_en=state.name_en,
        status=state.status,
        is_taking=state.is_taking,
        next_opening_at=state.next_opening_at,
        party_size_min=state.party_size_min,
        party_size_max=state.party_size_max,
        waiting=state.waiting,
        last_called=state.last_called_code,
        last_called_number=state.last_called_number,
        last_called_at=state.last_called_at,
        wait=state.estimate,
        business_on=state.business_on,
        version=state.version,
    )


def taken_answer(taken: TakenTicket) -> Response[TakenView]:
    """Answer 201, or 200 when sent again."""
    view = TakenView(
        ticket_id=taken.ticket_id,
        queue_id=taken.queue_id,
        store_id=taken.store_id,
        code=taken.code,
        number=taken.number,
        status=taken.status,
        parties_ahead=taken.parties_ahead,
        wait=taken.estimate,
    )
    return Response(view, status_code=200 if taken.is_replay else 201)


def called_answer(called: CalledTicket) -> Response[CallView]:
    """Answer 201, or 200 when sent again."""
    view = CallView(
        call_seq=called.call_seq,
        ticket_id=called.ticket_id,
        queue_id=called.queue_id,
        code=called.code,
        desk=called.desk,
        party_size=called.party_size,
        called_at=called.called_at,
    )
    return Response(view, status_code=200 if called.is_replay else 201)


def moved_answer(moved: MovedTicket) -> Response[MovedView]:
    """Answer 201, or 200 when sent again."""
    view = MovedView(
        ticket_id=moved.ticket_id,
        queue_id=moved.queue_id,
        store_id=moved.store_id,
        code=moved.code,
        number=moved.number,
        status=moved.status,
        parties_ahead=moved.parties_ahead,
        call_seq=moved.call_seq,
    )
    return Response(view, status_code=200 if moved.is_replay else 201)


def ticket_view(ticket: TicketView) -> TicketStandsView:
    """Return a ticket as the API shows it."""
    return TicketStandsView(
        id=ticket.ticket_id,
        code=ticket.code,
        number=ticket.number,
        store_id=ticket.store_id,
        store_name=ticket.store_name,
        queue_id=ticket.queue_id,
        queue_name=ticket.queue_name,
        party_size=ticket.party_size,
        status=ticket.status,
        priority=ticket.priority,
        source=ticket.source,
        parties_ahead=ticket.parties_ahead,
        wait=ticket.estimate,
        promise=ticket.promise,
        desk=ticket.desk,
        taken_at=ticket.taken_at,
        called_at=ticket.called_at,
        recalled_at=ticket.recalled_at,
        ended_at=ticket.ended_at,
        can_return=ticket.can_return,
        moved_to_id=ticket.moved_to_id,
        member_id=ticket.member_id,
        business_on=ticket.business_on,
    )

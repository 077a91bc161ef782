"""Reads of a store's queues as they stand now: for the pad, and without names for the hall."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.organisation import Store
from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.kernel.hours import next_opening, open_span
from o2o.queueing.commands import ticket_code
from o2o.queueing.queries.arranged import ArrangedQueue, list_arranged_queues
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.queries.lines import LineState, list_lines
from o2o.queueing.rules.wait_estimate import WaitEstimate, WaitModel

_TICKETS = text(
    "SELECT t.id, t.queue_id, t.number, t.party_size, t.status, t.priority, t.returns, t.taken_at,"
    "  t.called_at, t.recalled_at, t.place, t.source,"
    "  t.fan_id IS NOT NULL OR t.member_id IS NOT NULL AS is_claimed, m.name AS member_name,"
    "  l.desk"
    " FROM tickets t LEFT JOIN members m ON m.id = t.member_id"
    " LEFT JOIN LATERAL (SELECT c.desk FROM queue_calls c WHERE c.ticket_id = t.id"
    "  ORDER BY c.seq DESC LIMIT 1) l ON t.status IN ('called', 'skipped')"
    " WHERE t.store_id = :store_id AND t.business_on = :day"
    "  AND t.status IN ('waiting', 'called', 'skipped')"
)
_LAST_CALLS = text(
    "SELECT DISTINCT ON (c.queue_id) c.queue_id, t.number, c.called_at FROM queue_calls c"
    " JOIN tickets t ON t.id = c.ticket_id"
    " WHERE c.store_id = :store_id AND c.business_on = :day"
    " ORDER BY c.queue_id, c.seq DESC"
)


class BoardTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that waits, was called, or was missed; `member_name` is for the store only."""

    ticket_id: UUID
    code: str
    party_size: int
    status: TicketStatus
    priority: str
    # Came back into the line after a miss.
    has_returned: bool
    is_claimed: bool
    taken_at: datetime
    called_at: datetime | None
    desk: str | None
    member_name: str | None


class BoardQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue in use: those who wait in the order of calls, those called and missed lately."""

    queue: ArrangedQueue
    is_taking: bool
    waiting: Sequence[BoardTicket]
    called: Sequence[BoardTicket]
    missed: Sequence[BoardTicket]
    last_called_code: str | None
    # Of a party that joins now.
    estimate: WaitEstimate | None


class StoreBoard(msgspec.Struct, frozen=True, kw_only=True):
    """All queues of a store."""

    business_on: date
    is_open: bool
    next_opening_at: datetime | None
    queues: Sequence[BoardQueue]


async def get_store_board(tx: Tx, store: Store, *, now: datetime) -> StoreBoard:
    """Return how a store's queues stand, in a few statements however many wait."""
    when: dict[str, Any] = {
        "hours": store.hours,
        "timezone": store.timezone,
        "exceptions": store.hours_exceptions,
    }
    day = business_day(now, hours=store.hours, timezone=store.timezone)
    is_open = open_span(now, **when) is not None
    arranged = await list_arranged_queues(tx, store, now=now)
    queue_ids = [queue.queue_id for queue in arranged]
    lines = await list_lines(tx, [(queue_id, day) for queue_id in queue_ids], now=now)
    models: dict[UUID, WaitModel] = {key[0]: line.model for key, line in lines.items()}
    # Queues whose day has not begun have no line yet.
    if unbegun := [queue_id for queue_id in queue_ids if queue_id not in models]:
        models |= await estimate_waits(tx, unbegun, now=now)
    asked = {"store_id": store.id, "day": day}
    rows = (await tx.execute(_TICKETS, asked)).all()
    last = {row.queue_id: row.number for row in await tx.execute(_LAST_CALLS, asked)}
    return StoreBoard(
        business_on=day,
        is_open=is_open,
        next_opening_at=None if is_open else next_opening(now, **when),
        queues=[
            _board(
                queue,
                [row for row in rows if row.queue_id == queue.queue_id],
                line=lines.get((queue.queue_id, day)),
                model=models.get(queue.queue_id),
                last=last.get(queue.queue_id),
                is_open=is_open,
            )
            for queue in arranged
        ],
    )


def _board(
    queue: ArrangedQueue,
    rows: Sequence[Any],
    *,
    line: LineState | None,
    model: WaitModel | None,
    last: int | None,
    is_open: bool,
) -> BoardQueue:
    order = {ticket.ticket_id: place for place, ticket in enumerate(line.order)} if line else {}
    by_status: dict[TicketStatus, list[Any]] = {status: [] for status in TicketStatus}
    for row in rows:
        by_status[TicketStatus(row.status)].append(row)
    # Whoever came between the two reads stands at the end until the next one.
    waiting = sorted(
        by_status[TicketStatus.WAITING],
        key=lambda row: (order.get(row.id, len(rows)), row.place),
    )
    called = sorted(
        by_status[TicketStatus.CALLED], key=lambda row: row.recalled_at or row.called_at
    )
    missed = sorted(by_status[TicketStatus.SKIPPED], key=lambda row: row.called_at, reverse=True)
    return BoardQueue(
        queue=queue,
        is_taking=is_open and queue.status == "open",
        waiting=[_ticket(queue, row) for row in waiting],
        called=[_ticket(queue, row) for row in called],
        missed=[_ticket(queue, row) for row in missed],
        last_called_code=ticket_code(queue.code, last) if last is not None else None,
        estimate=model.estimate(len(waiting)) if model is not None else None,
    )


def _ticket(queue: ArrangedQueue, row: Any) -> BoardTicket:
    return BoardTicket(
        ticket_id=row.id,
        code=ticket_code(queue.code, row.number),
        party_size=row.party_size,
        status=TicketStatus(row.status),
        priority=row.priority,
        has_returned=row.returns > 0 and row.status == TicketStatus.WAITING.value,
        is_claimed=row.is_claimed,
        taken_at=row.taken_at,
        called_at=row.recalled_at or row.called_at,
        desk=row.desk,
        member_name=row.member_name,
    )

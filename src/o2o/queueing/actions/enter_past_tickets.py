"""Enter tickets of days that are over, in bulk: what a store knows from before it used this.

They are entered as they ended; nobody is told of them, and no number of today is touched.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx
from o2o.queueing.days import PLACE_STEP
from o2o.queueing.rules.wait_estimate import WaitEstimate

_DAYS = text(
    "INSERT INTO queue_days (queue_id, business_on, last_number)"
    " SELECT queue_id, business_on, max(number) FROM tickets"
    " WHERE queue_id = ANY(CAST(:queue_ids AS uuid[])) GROUP BY queue_id, business_on"
    " ON CONFLICT (queue_id, business_on) DO NOTHING"
)
# What was entered is most of the table: plans made before would be poor.
_ANALYSE = text("ANALYZE tickets (queue_id, business_on, store_id, status, member_id)")
_MOVES = text(
    "INSERT INTO ticket_moves (ticket_id, from_status, to_status, move, staff_id, at)"
    " SELECT * FROM unnest(CAST(:ticket_ids AS uuid[]), CAST(:befores AS text[]),"
    " CAST(:afters AS text[]), CAST(:moves AS text[]), CAST(:staff_ids AS uuid[]),"
    " CAST(:ats AS timestamptz[])) AS m(ticket_id, before, after, move, staff_id, at) ORDER BY at"
)
_CALLS = text(
    "INSERT INTO queue_calls (request_id, body_hash, store_id, queue_id, business_on, ticket_id,"
    " kind, desk, called_at)"
    " SELECT gen_random_uuid(), '', t.store_id, t.queue_id, t.business_on, t.id, 'call', c.desk,"
    " t.called_at FROM unnest(CAST(:ticket_ids AS uuid[]), CAST(:desks AS text[]))"
    " AS c(ticket_id, desk) JOIN tickets t ON t.id = c.ticket_id ORDER BY t.called_at"
)
# No statement may last longer than the database lets one, on a slow machine either.
_ROWS_AT_ONCE = 2_000
_COLUMNS = (
    "id",
    "request_id",
    "body_hash",
    "store_id",
    "queue_id",
    "business_on",
    "number",
    "party_size",
    "status",
    "priority",
    "source",
    "place",
    "taken_at",
    "called_at",
    "ended_at",
    "promised_low_seconds",
    "promised_median_seconds",
    "promised_high_seconds",
    "ahead_at_take",
)


class PastTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that ended: seated, cancelled, or expired after a call that nobody came to."""

    ticket_id: UUID
    request_id: UUID
    store_id: UUID
    queue_id: UUID
    business_on: date
    number: int
    party_size: int
    status: TicketStatus
    source: str
    taken_at: datetime
    called_at: datetime | None
    ended_at: datetime
    promise: WaitEstimate
    parties_ahead: int


class PastHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a ticket beside its numbers: where it was called to, and by whom."""

    ticket: PastTicket
    desk: str
    staff_id: UUID | None


async def enter_past_tickets(
    tx: Tx, tickets: Sequence[PastTicket], histories: Sequence[PastHistory] = ()
) -> None:
    """Enter tickets, and for some of them each move and call.

    Numbers of a queue and day have to begin at 1 and go on without gaps.
    """
    if not tickets:
        return
    connection = await tx.connection()
    # COPY: ten times as fast as the same rows by INSERT, and they are tens of thousands.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    for start in range(0, len(tickets), _ROWS_AT_ONCE):
        rows = [_row(ticket) for ticket in tickets[start : start + _ROWS_AT_ONCE]]
        await driver.copy_records_to_table("tickets", records=rows, columns=_COLUMNS)
    queue_ids = sorted({ticket.queue_id for ticket in tickets})
    await tx.execute(_DAYS, {"queue_ids": queue_ids})
    await tx.execute(_ANALYSE)
    for start in range(0, len(histories), _ROWS_AT_ONCE):
        await _enter_histories(tx, histories[start : start + _ROWS_AT_ONCE])


def _row(ticket: PastTicket) -> tuple[Any, ...]:
    return (
        ticket.ticket_id,
        ticket.request_id,
        b"",
        ticket.store_id,
        ticket.queue_id,
        ticket.business_on,
        ticket.number,
        ticket.party_size,
        ticket.status.value,
        "ordinary",
        ticket.source,
        ticket.number * PLACE_STEP,
        ticket.taken_at,
        ticket.called_at,
        ticket.ended_at,
        ticket.promise.low_seconds,
        ticket.promise.median_seconds,
        ticket.promise.high_seconds,
        ticket.parties_ahead,
    )


async def _enter_histories(tx: Tx, histories: Sequence[PastHistory]) -> None:
    moves = [move for history in histories for move in _moves(history)]
    columns = list(zip(*moves, strict=True))
    names = ("ticket_ids", "befores", "afters", "moves", "staff_ids", "ats")
    await tx.execute(
        _MOVES, {name: list(values) for name, values in zip(names, columns, strict=True)}
    )
    called = [history for history in histories if history.ticket.called_at is not None]
    await tx.execute(
        _CALLS,
        {
            "ticket_ids": [history.ticket.ticket_id for history in called],
            "desks": [history.desk for history in called],
        },
    )


def _moves(history: PastHistory) -> list[tuple[Any, ...]]:
    ticket, staff_id = history.ticket, history.staff_id
    moves: list[tuple[Any, ...]] = [
        (ticket.ticket_id, None, "waiting", "taken", None, ticket.taken_at)
    ]
    if ticket.called_at is None:
        by = (ticket.ticket_id, "waiting", "cancelled", "cancelled", None, ticket.ended_at)
        return [*moves, by]
    moves.append((ticket.ticket_id, "waiting", "called", "called", staff_id, ticket.called_at))
    if ticket.status is TicketStatus.SEATED:
        moves.append((ticket.ticket_id, "called", "seated", "seated", staff_id, ticket.ended_at))
    else:
        moves.append((ticket.ticket_id, "called", "skipped", "skipped", staff_id, ticket.called_at))
        moves.append((ticket.ticket_id, "skipped", "expired", "expired", None, ticket.ended_at))
    return moves

"""Reads of a store's tickets of one day with everything that happened to them, and by whom."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx

PAGE_TICKETS = 50
# The moves that stand with a call each, in the same order.
CALLS = frozenset({"called", "recalled"})

_TICKETS = text(
    "SELECT t.id, q.code, q.name, q.name_en, t.number, t.party_size, t.status, t.priority,"
    "  t.source, t.taken_at, t.called_at, t.ended_at, t.promised_low_seconds,"
    "  t.promised_high_seconds,"
    "  m.name AS member_name"
    " FROM tickets t JOIN queues q ON q.id = t.queue_id LEFT JOIN members m ON m.id = t.member_id"
    " WHERE t.store_id = :store_id AND t.business_on = :day"
    " AND (CAST(:queue_id AS uuid) IS NULL OR t.queue_id = :queue_id)"
    " AND (CAST(:after AS uuid) IS NULL OR (t.taken_at, t.id) >"
    "  (SELECT a.taken_at, a.id FROM tickets a WHERE a.id = :after AND a.store_id = :store_id))"
    " ORDER BY t.taken_at, t.id LIMIT :most"
)
_MOVES = text(
    "SELECT v.ticket_id, v.move, v.at, v.reason, s.name AS staff_name, p.name AS pad_name,"
    "  k.name AS key_name"
    " FROM ticket_moves v LEFT JOIN staff_members s ON s.id = v.staff_id"
    " LEFT JOIN pads p ON p.id = v.pad_id LEFT JOIN api_keys k ON k.id = v.api_key_id"
    " WHERE v.ticket_id = ANY(CAST(:ticket_ids AS uuid[])) ORDER BY v.seq"
)
_CALLS = text(
    "SELECT ticket_id, desk FROM queue_calls"
    " WHERE ticket_id = ANY(CAST(:ticket_ids AS uuid[])) ORDER BY seq"
)


class PastMove(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a ticket; `who` is None for the guest or the system."""

    move: str
    at: datetime
    who: str | None
    pad: str | None
    reason: str | None
    # Where a call led to.
    desk: str | None


class PastTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of a day."""

    ticket_id: UUID
    queue_code: str
    queue_name: str
    queue_name_en: str
    number: int
    party_size: int
    status: str
    priority: str
    source: str
    taken_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    promised_low_seconds: int | None
    promised_high_seconds: int | None
    member_name: str | None
    moves: Sequence[PastMove]


async def list_past_tickets(
    tx: Tx, *, store_id: UUID, day: date, queue_id: UUID | None, after: UUID | None
) -> tuple[list[PastTicket], UUID | None]:
    """Return a page of a store's tickets as they were taken, and the id to go on after, if any."""
    rows = (
        await tx.execute(
            _TICKETS,
            {
                "store_id": store_id,
                "day": day,
                "queue_id": queue_id,
                "after": after,
                "most": PAGE_TICKETS + 1,
            },
        )
    ).all()
    shown = rows[:PAGE_TICKETS]
    ids = [row.id for row in shown]
    moves: dict[UUID, list[PastMove]] = {ticket_id: [] for ticket_id in ids}
    desks: dict[UUID, list[str]] = {ticket_id: [] for ticket_id in ids}
    for row in await tx.execute(_CALLS, {"ticket_ids": ids}):
        desks[row.ticket_id].append(row.desk)
    calls = {ticket_id: iter(named) for ticket_id, named in desks.items()}
    for row in await tx.execute(_MOVES, {"ticket_ids": ids}):
        moves[row.ticket_id].append(
            PastMove(
                move=row.move,
                at=row.at,
                who=row.staff_name or row.key_name,
                pad=row.pad_name,
                reason=row.reason,
                desk=next(calls[row.ticket_id], None) if row.move in CALLS else None,
            )
        )
    tickets = [
        PastTicket(
            ticket_id=row.id,
            queue_code=row.code,
            queue_name=row.name,
            queue_name_en=row.name_en,
            number=row.number,
            party_size=row.party_size,
            status=row.status,
            priority=row.priority,
            source=row.source,
            taken_at=row.taken_at,
            called_at=row.called_at,
            ended_at=row.ended_at,
            promised_low_seconds=row.promised_low_seconds,
            promised_high_seconds=row.promised_high_seconds,
            member_name=row.member_name,
            moves=moves[row.id],
        )
        for row in shown
    ]
    return tickets, ids[-1] if len(rows) > PAGE_TICKETS else None

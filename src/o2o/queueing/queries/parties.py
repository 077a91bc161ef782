"""Through whom the parties of tickets are told something, and what their messages name."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueKind, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.commands import ticket_code

# The fan who took the number; else the member's, the store's account first, where he followed
# last. Following is the condition: a message to anybody else is refused, and unwanted. Who is being
# forgotten is told nothing any more: a deletion waits for this row, or this for the deletion.
_PARTIES = text(
    "WITH picked AS (SELECT t.id, (SELECT x.id FROM ("
    "  SELECT f.id, 0 AS rank, f.account_id, f.followed_at FROM fans f"
    "   WHERE f.id = t.fan_id AND f.is_following"
    "  UNION ALL SELECT f.id, 1, f.account_id, f.followed_at FROM fans f"
    "   JOIN members m ON m.id = f.member_id AND m.status = 'active'"
    "   WHERE f.member_id = t.member_id AND f.is_following) x"
    "  ORDER BY x.rank, x.account_id = s.account_id DESC, x.followed_at DESC NULLS LAST, x.id"
    "  LIMIT 1) AS fan_id"
    " FROM tickets t JOIN stores s ON s.id = t.store_id"
    " WHERE t.id = ANY(CAST(:ticket_ids AS uuid[])))"
    " SELECT t.id, t.status, t.number, t.taken_at, q.code, q.name AS line_name, q.kind,"
    " s.name AS store_name, s.timezone, f.account_id, f.openid, a.slug,"
    " (SELECT v.reason FROM ticket_moves v WHERE v.ticket_id = t.id ORDER BY v.seq DESC LIMIT 1)"
    " AS reason"
    " FROM picked p JOIN tickets t ON t.id = p.id"
    " JOIN fans f ON f.id = p.fan_id AND f.is_following"
    " JOIN official_accounts a ON a.id = f.account_id"
    " JOIN queues q ON q.id = t.queue_id JOIN stores s ON s.id = t.store_id"
    " ORDER BY f.id FOR KEY SHARE OF f"
)
_PARTIES_FREE = text(f"{_PARTIES.text} SKIP LOCKED")
_TOLD_CALLS = text(
    "SELECT n.ticket_id, n.call_seq FROM ticket_notices n"
    " JOIN unnest(CAST(:ticket_ids AS uuid[]), CAST(:call_seqs AS bigint[]))"
    " AS c(ticket_id, call_seq) USING (ticket_id, call_seq)"
    " WHERE n.kind IN ('called', 'recalled')"
)
_STATUSES = text("SELECT id, status FROM tickets WHERE id = ANY(CAST(:ticket_ids AS uuid[]))")


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to tell of a ticket, and how ticket, line and store are named to him."""

    ticket_id: UUID
    status: TicketStatus
    # As people read it: B019.
    code: str
    taken_at: datetime
    line_name: str
    kind: QueueKind
    store_name: str
    timezone: str
    account_id: UUID
    account_slug: str
    openid: str
    # Why the ticket last moved, where somebody said so.
    reason: str | None


async def list_parties(
    tx: Tx, ticket_ids: Collection[UUID], *, waits: bool = True
) -> dict[UUID, Party]:
    """Return whom to tell of these tickets; those whom nobody follows for are left out.

    So are those who are being forgotten at this moment, unless it `waits` for what becomes of that.
    """
    statement = _PARTIES if waits else _PARTIES_FREE
    rows = await fetch_rows(tx, statement, {"ticket_ids": list(ticket_ids)})
    return {
        row.id: Party(
            ticket_id=row.id,
            status=TicketStatus(row.status),
            code=ticket_code(row.code, row.number),
            taken_at=row.taken_at,
            line_name=row.line_name,
            kind=QueueKind(row.kind),
            store_name=row.store_name,
            timezone=row.timezone,
            account_id=row.account_id,
            account_slug=row.slug,
            openid=row.openid,
            reason=row.reason,
        )
        for row in rows
    }


async def list_told_calls(tx: Tx, calls: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
    """Return those of these calls, by ticket and number, of which the party was told."""
    values = {
        "ticket_ids": [ticket_id for ticket_id, _ in calls],
        "call_seqs": [call_seq for _, call_seq in calls],
    }
    return {(row.ticket_id, row.call_seq) for row in await fetch_rows(tx, _TOLD_CALLS, values)}


async def list_ticket_statuses(tx: Tx, ticket_ids: Collection[UUID]) -> dict[UUID, TicketStatus]:
    """Return how these tickets stand now."""
    rows = await fetch_rows(tx, _STATUSES, {"ticket_ids": list(ticket_ids)})
    return {row.id: TicketStatus(row.status) for row in rows}

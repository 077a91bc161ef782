"""The last lines of many members' statements at once, for chat."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class RecentLine(msgspec.Struct, frozen=True):
    """One movement of stored value as a member reads it; the amount is signed."""

    kind: str
    amount_fen: int
    balance_fen: int
    store_name: str
    timezone: str
    at: datetime


_RECENT = text(
    "SELECT m.id AS member_id, r.* FROM unnest(CAST(:ids AS uuid[])) AS m(id)"
    " JOIN ledger_accounts a ON a.owner_id = m.id AND a.kind = 'member_stored_value'"
    " CROSS JOIN LATERAL ("
    "  SELECT t.kind, e.amount, e.balance_after, coalesce(s.name, '') AS name,"
    "  coalesce(s.timezone, 'Asia/Shanghai') AS timezone, t.created_at"
    "  FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id"
    "  LEFT JOIN stores s ON s.id = t.store_id"
    "  WHERE e.account_id = a.id ORDER BY e.seq DESC LIMIT :most) r"
)


async def list_recent_lines(
    tx: Tx, member_ids: Sequence[UUID], *, most: int
) -> dict[UUID, list[RecentLine]]:
    """Return each member's last lines, newest first, in one statement."""
    found: dict[UUID, list[RecentLine]] = {}
    rows = await tx.execute(_RECENT, {"ids": sorted(set(member_ids)), "most": most})
    for member_id, *line in rows:
        found.setdefault(member_id, []).append(RecentLine(*line))
    return found

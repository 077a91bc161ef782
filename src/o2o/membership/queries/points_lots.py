"""A member's points by the day they end, soonest first; what never ends comes last."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class PointsLot(msgspec.Struct, frozen=True, kw_only=True):
    """Points that end together."""

    points: int
    expires_at: datetime | None


_LOTS = text(
    "SELECT l.expires_at, sum(l.remaining)::bigint AS points FROM ledger_lots l"
    " JOIN ledger_accounts a ON a.id = l.account_id"
    " WHERE a.owner_id = :member_id AND a.kind = 'member_points' AND l.remaining > 0"
    " AND (l.expires_at IS NULL OR l.expires_at > :now)"
    " GROUP BY l.expires_at ORDER BY l.expires_at NULLS LAST LIMIT 60"
)


async def list_points_lots(tx: Tx, member_id: UUID, *, now: datetime) -> list[PointsLot]:
    """Return what may still be spent."""
    rows = await tx.execute(_LOTS, {"member_id": member_id, "now": now})
    return [PointsLot(points=row.points, expires_at=row.expires_at) for row in rows]

"""Points that end: those that are over, and those that will be, for whoever warns of it."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, LotId, MemberId

_DUE = text(
    "SELECT l.id, a.owner_id AS member_id FROM ledger_lots l"
    " JOIN ledger_accounts a ON a.id = l.account_id"
    " WHERE l.remaining > 0 AND l.expires_at <= :now ORDER BY l.expires_at LIMIT :limit"
)

# Members one after another, so that a page can be turned by the last member of it.
_EXPIRING = text(
    "SELECT a.owner_id AS member_id, a.brand_id, sum(l.remaining)::bigint AS points,"
    " min(l.expires_at) AS first_at FROM ledger_lots l"
    " JOIN ledger_accounts a ON a.id = l.account_id"
    " WHERE l.remaining > 0 AND l.expires_at >= :from_ AND l.expires_at < :until"
    " AND (CAST(:after AS uuid) IS NULL OR a.owner_id > :after)"
    " GROUP BY a.owner_id, a.brand_id ORDER BY a.owner_id LIMIT :limit"
)


class ExpiringPoints(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a member's points end within some days, and when the first of them do."""

    member_id: MemberId
    brand_id: BrandId
    points: int
    first_at: datetime


async def list_expiring_points(
    tx: Tx, *, from_: datetime, until: datetime, after: MemberId | None, limit: int
) -> list[ExpiringPoints]:
    """Return up to `limit` members, in the order of their ids, with points that end in between.

    `until` is exclusive; ask with the last member as `after` to turn the page.
    """
    rows = await tx.execute(
        _EXPIRING, {"from_": from_, "until": until, "after": after, "limit": limit}
    )
    return [
        ExpiringPoints(
            member_id=MemberId(row.member_id),
            brand_id=BrandId(row.brand_id),
            points=row.points,
            first_at=row.first_at,
        )
        for row in rows
    ]


async def list_due_lots(tx: Tx, *, now: datetime, limit: int) -> list[tuple[LotId, MemberId]]:
    """Return lots of points that are over and not empty, the longest over first; locks nothing."""
    rows = await tx.execute(_DUE, {"now": now, "limit": limit})
    return [(LotId(row.id), MemberId(row.member_id)) for row in rows]

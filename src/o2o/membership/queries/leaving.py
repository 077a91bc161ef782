"""What a member would lose by leaving, and what has to end before."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """A member's state on the doorstep. Amounts in fen."""

    principal_fen: int
    bonus_fen: int
    points: int
    # What is under way: `hold`, `visit`, `offer`, `refund`, `proposal`.
    under_way: list[str]
    fan_count: int


# What was set aside for an offer of one's own is told as the offer, not as a hold.
_UNDER_WAY = text(
    "SELECT 'hold' FROM ledger_holds h JOIN ledger_accounts a ON a.id = h.account_id"
    "  WHERE a.owner_id = ANY(CAST(:ids AS uuid[])) AND h.status = 'pending' AND NOT EXISTS"
    "  (SELECT 1 FROM pass_on_offers o WHERE o.hold_id = h.id AND o.status = 'offered')"
    " UNION SELECT 'visit' FROM counter_visits WHERE member_id = ANY(CAST(:ids AS uuid[]))"
    "  AND closed_at IS NULL AND expires_at > :now"
    " UNION SELECT 'offer' FROM pass_on_offers"
    "  WHERE from_member_id = ANY(CAST(:ids AS uuid[])) AND status = 'offered'"
    " UNION SELECT 'refund' FROM refund_requests"
    "  WHERE member_id = ANY(CAST(:ids AS uuid[])) AND status = 'asked'"
    " UNION SELECT 'proposal' FROM adjustments"
    "  WHERE member_id = ANY(CAST(:ids AS uuid[])) AND status = 'proposed' AND expires_at > :now"
    " ORDER BY 1"
)
_HOLDINGS = text(
    "SELECT coalesce(sum(l.remaining) FILTER (WHERE l.kind = 'principal'), 0)::bigint AS principal,"
    " coalesce(sum(l.remaining) FILTER (WHERE l.kind = 'bonus'), 0)::bigint AS bonus,"
    " coalesce(sum(l.remaining) FILTER (WHERE l.kind = 'points'), 0)::bigint AS points"
    " FROM ledger_lots l JOIN ledger_accounts a ON a.id = l.account_id"
    " WHERE a.owner_id = ANY(CAST(:ids AS uuid[])) AND l.remaining > 0"
)
_FANS = text("SELECT count(*) FROM fans WHERE member_id = ANY(CAST(:ids AS uuid[]))")


async def get_leaving(tx: Tx, member_ids: list[UUID], *, now: datetime) -> Leaving:
    """Return what these members, who are one person, hold and what is under way."""
    asked = {"ids": member_ids, "now": now}
    holdings = (await tx.execute(_HOLDINGS, asked)).one()
    return Leaving(
        principal_fen=holdings.principal,
        bonus_fen=holdings.bonus,
        points=holdings.points,
        under_way=list(await tx.scalars(_UNDER_WAY, asked)),
        fan_count=int(await tx.scalar(_FANS, asked) or 0),
    )

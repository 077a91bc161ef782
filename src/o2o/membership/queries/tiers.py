"""Spend over twelve months and what it means for the tier."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.errors import MemberNotFound
from o2o.membership.rules.tiers import TierStep, next_tier, tier_at

TWELVE_MONTHS = timedelta(days=365)


class TierProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a member stands among the brand's tiers."""

    tier_code: str
    tier_name: str
    spent_fen: int
    # What the spend alone would reach; a member may have been given a higher one.
    earned_code: str
    next_code: str | None
    next_name: str | None
    missing_fen: int | None


_SPENT = text(
    "SELECT coalesce(-sum(e.amount), 0)::bigint FROM ledger_accounts a"
    " JOIN ledger_entries e ON e.account_id = a.id AND e.amount < 0"
    " JOIN ledger_transfers t ON t.id = e.transfer_id"
    " AND t.kind = 'debit' AND t.created_at > :since"
    " WHERE a.owner_id = :member_id AND a.kind = 'member_stored_value'"
)
_TIERS = text(
    "SELECT t.code, t.name, t.spend_from_fen, t.id = m.tier_id AS is_own"
    " FROM members m JOIN tiers t ON t.brand_id = m.brand_id"
    " WHERE m.id = :member_id AND m.status = 'active' ORDER BY t.rank"
)


async def get_tier_progress(tx: Tx, member_id: UUID, *, now: datetime) -> TierProgress:
    """Raises MemberNotFound. Spend is what was paid with the card in the last 365 days."""
    rows = (await tx.execute(_TIERS, {"member_id": member_id})).all()
    if not rows:
        raise MemberNotFound(member_id=member_id)
    spent = await tx.scalar(_SPENT, {"member_id": member_id, "since": now - TWELVE_MONTHS})
    spent_fen = int(spent or 0)
    steps = [TierStep(row.code, row.name, row.spend_from_fen) for row in rows]
    [own] = [step for step, row in zip(steps, rows, strict=True) if row.is_own]
    # From the tier the member has, not from what the spend alone would reach.
    above = next_tier(steps, spent_fen=max(spent_fen, own.spend_from_fen))
    return TierProgress(
        tier_code=own.code,
        tier_name=own.name,
        spent_fen=spent_fen,
        earned_code=tier_at(steps, spent_fen=spent_fen).code,
        next_code=above.code if above else None,
        next_name=above.name if above else None,
        missing_fen=above.spend_from_fen - spent_fen if above else None,
    )

"""What a change of rules would have done: read from the last thirty days, before it is saved.

Bounded: the latest movements of each store, the latest members; beyond that it is a sample.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.queries.tiers import NOTHING_YET, TWELVE_MONTHS, list_standings
from o2o.membership.rules.tiers import TierStep, tier_at

LOOK_BACK = timedelta(days=30)
MOVEMENTS_PER_STORE_MAX = 20_000
MEMBERS_MAX = 10_000


class PointsEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What the charges of thirty days earn by the rule of now and by another one."""

    charges: int
    amount_fen: int
    points_now: int
    points_then: int


class TiersEffect(msgspec.Struct, frozen=True, kw_only=True):
    """How many members of those looked at would go up at once, and down when their term ends."""

    members: int
    is_sample: bool
    up: int
    down: int
    # How many go down when their term ends as the tiers are now.
    down_now: int


class PackageEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What the top-ups of thirty days that a package is about gave, and what they would give."""

    top_ups: int
    bonus_now_fen: int
    bonus_then_fen: int
    points_then: int


class PointsRate(msgspec.Struct, frozen=True):
    """Points per yuan and points for the first charge of a day."""

    points_per_yuan: int
    visit_points: int


# Whole division of positive integers rounds down, as rules.points does.
_POINTS = text(
    "WITH recent AS (SELECT t.amount - coalesce((SELECT sum(r.amount) FROM ledger_transfers r"
    " WHERE r.reverses_id = t.id), 0)::bigint AS amount, i.points_multiplier_bp AS bp,"
    " (m.id, (t.created_at AT TIME ZONE s.timezone)::date) AS visit"
    " FROM stores s JOIN ledger_accounts a ON a.owner_id = s.id AND a.kind = 'store_sales'"
    " CROSS JOIN LATERAL (SELECT e.transfer_id FROM ledger_entries e WHERE e.account_id = a.id"
    " ORDER BY e.seq DESC LIMIT :most) e"
    " JOIN ledger_transfers t ON t.id = e.transfer_id AND t.kind IN ('debit', 'hold_posted')"
    " AND t.created_at > :since"
    " JOIN ledger_accounts p ON p.id = t.from_account_id JOIN members m ON m.id = p.owner_id"
    " JOIN tiers i ON i.id = m.tier_id WHERE s.brand_id = :brand_id)"
    " SELECT count(*) AS charges, coalesce(sum(amount), 0)::bigint AS amount_fen,"
    " count(DISTINCT visit) FILTER (WHERE amount > 0) AS visits,"
    " coalesce(sum(amount * CAST(:rate_now AS bigint) * bp / 1000000), 0)::bigint AS points_now,"
    " coalesce(sum(amount * CAST(:rate_then AS bigint) * bp / 1000000), 0)::bigint AS points_then"
    " FROM recent"
)
_MEMBERS = text(
    "SELECT m.id, t.code FROM members m JOIN tiers t ON t.id = m.tier_id"
    " WHERE m.brand_id = :brand_id AND m.status = 'active' ORDER BY m.id DESC LIMIT :most"
)
_TOP_UPS = text(
    "SELECT count(*) AS top_ups, coalesce(sum(b.amount), 0)::bigint AS bonus_fen"
    " FROM stores s JOIN ledger_accounts a ON a.owner_id = s.id AND a.kind = 'store_takings'"
    " CROSS JOIN LATERAL (SELECT e.transfer_id FROM ledger_entries e WHERE e.account_id = a.id"
    " ORDER BY e.seq DESC LIMIT :most) e"
    " JOIN ledger_transfers t ON t.id = e.transfer_id AND t.kind = 'top_up'"
    " AND t.created_at > :since AND t.amount >= :least AND t.amount <= :greatest"
    " LEFT JOIN ledger_transfers b ON b.request_id = t.request_id AND b.kind = 'top_up_bonus'"
    " WHERE s.brand_id = :brand_id AND (CAST(:store_id AS uuid) IS NULL OR s.id = :store_id)"
)


async def get_points_effect(
    tx: Tx, brand_id: UUID, *, rate_now: PointsRate, rate_then: PointsRate, now: datetime
) -> PointsEffect:
    """Compare two rules over the charges of the last thirty days, by the members' present tiers."""
    row = (
        await tx.execute(
            _POINTS,
            {
                "brand_id": brand_id,
                "since": now - LOOK_BACK,
                "most": MOVEMENTS_PER_STORE_MAX,
                "rate_now": rate_now.points_per_yuan,
                "rate_then": rate_then.points_per_yuan,
            },
        )
    ).one()
    return PointsEffect(
        charges=row.charges,
        amount_fen=row.amount_fen,
        points_now=row.points_now + row.visits * rate_now.visit_points,
        points_then=row.points_then + row.visits * rate_then.visit_points,
    )


async def get_tiers_effect(
    tx: Tx,
    brand_id: UUID,
    *,
    steps_now: Sequence[TierStep],
    steps_then: Sequence[TierStep],
    now: datetime,
) -> TiersEffect:
    """Compare two ladders for the latest ten thousand members; both name the tiers alike."""
    rows = (await tx.execute(_MEMBERS, {"brand_id": brand_id, "most": MEMBERS_MAX + 1})).all()
    members = rows[:MEMBERS_MAX]
    standings = await list_standings(tx, {row.id: now - TWELVE_MONTHS for row in members})
    ranks = {step.code: rank for rank, step in enumerate(steps_then)}
    up = down = down_now = 0
    for row in members:
        standing = standings.get(row.id, NOTHING_YET)
        own = ranks[row.code]
        then = _rank(ranks, steps_then, spent_fen=standing.spent_fen, visits=standing.visits)
        as_is = _rank(ranks, steps_now, spent_fen=standing.spent_fen, visits=standing.visits)
        up += then > own
        down += then < own
        down_now += as_is < own
    return TiersEffect(
        members=len(members),
        is_sample=len(rows) > MEMBERS_MAX,
        up=up,
        down=down,
        down_now=down_now,
    )


async def get_package_effect(
    tx: Tx,
    brand_id: UUID,
    *,
    least_fen: int,
    greatest_fen: int,
    store_id: UUID | None,
    bonus_fen: int,
    bonus_points: int,
    now: datetime,
) -> PackageEffect:
    """Say what the top-ups of thirty days between two amounts would give with this bonus."""
    row = (
        await tx.execute(
            _TOP_UPS,
            {
                "brand_id": brand_id,
                "store_id": store_id,
                "since": now - LOOK_BACK,
                "most": MOVEMENTS_PER_STORE_MAX,
                "least": least_fen,
                "greatest": greatest_fen,
            },
        )
    ).one()
    return PackageEffect(
        top_ups=row.top_ups,
        bonus_now_fen=row.bonus_fen,
        bonus_then_fen=row.top_ups * bonus_fen,
        points_then=row.top_ups * bonus_points,
    )


def _rank(ranks: dict[str, int], steps: Sequence[TierStep], *, spent_fen: int, visits: int) -> int:
    return ranks[tier_at(steps, spent_fen=spent_fen, visits=visits).code]

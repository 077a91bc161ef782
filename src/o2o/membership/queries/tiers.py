"""What members spent and how often they came over twelve months, and what it means for the tier."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.membership.errors import MemberNotFound
from o2o.membership.rules.tiers import TierStep, next_tier, tier_at

TWELVE_MONTHS = timedelta(days=365)
MOVES_MAX = 100


class Standing(msgspec.Struct, frozen=True):
    """What a member paid with the card, less what was reversed, and on how many business days."""

    spent_fen: int
    visits: int


class TierProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a member stands among the brand's tiers."""

    tier_code: str
    tier_name: str
    spent_fen: int
    # What spend and visits alone would reach; a member may have been given a higher one.
    earned_code: str
    next_code: str | None
    next_name: str | None
    # Either leads to the next tier; None where it does not.
    missing_fen: int | None
    visits: int = 0
    missing_visits: int | None = None
    # Until when the tier holds, its grace not counted; None is without an end.
    valid_until: datetime | None = None


class TierMoveView(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a member's tier, as staff and the member read it."""

    from_name: str
    to_name: str
    reason: str
    valid_until: datetime | None
    staff_name: str | None
    note: str | None
    moved_at: datetime


# A charge counts when it was made, less whatever was reversed of it since; one that was held first
# counts when it was posted. A member who became one with another brings the own charges along. A
# visit is a business day of a store on which something paid is left.
_WHO = (
    "SELECT member_id, since"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:since AS timestamptz[])) AS w(member_id, since)"
)
# Its plan is kept; that for lists of unknown length is made every time, for longer than it runs.
_WHO_ALONE = "SELECT CAST(:id AS uuid) AS member_id, CAST(:since AS timestamptz) AS since"
_STANDING = (
    "WITH who AS ({who}),"
    " people AS (SELECT member_id, since, member_id AS owner_id FROM who"
    " UNION ALL SELECT w.member_id, w.since, m.id FROM who w"
    " JOIN members m ON m.merged_into_id = w.member_id),"
    " charges AS (SELECT p.member_id, t.store_id, t.created_at,"
    " t.amount - coalesce((SELECT sum(r.amount) FROM ledger_transfers r"
    " WHERE r.reverses_id = t.id), 0) AS net"
    " FROM people p JOIN ledger_accounts a ON a.owner_id = p.owner_id"
    " AND a.kind IN ('member_stored_value', 'member_held')"
    " JOIN ledger_entries e ON e.account_id = a.id AND e.amount < 0"
    " JOIN ledger_transfers t ON t.id = e.transfer_id"
    " AND t.kind IN ('debit', 'hold_posted') AND t.created_at > p.since)"
    " SELECT c.member_id, sum(c.net)::bigint AS spent_fen,"
    " count(DISTINCT (c.store_id, (c.created_at AT TIME ZONE s.timezone)::date))"
    " FILTER (WHERE c.net > 0) AS visits"
    " FROM charges c JOIN stores s ON s.id = c.store_id GROUP BY c.member_id"
)
_STANDINGS = text(_STANDING.format(who=_WHO))
_STANDING_ALONE = text(_STANDING.format(who=_WHO_ALONE))
_TIERS = text(
    "SELECT t.code, t.name, t.spend_from_fen, t.visits_from, t.id = m.tier_id AS is_own,"
    " m.tier_valid_until"
    " FROM members m JOIN tiers t ON t.brand_id = m.brand_id"
    " WHERE m.id = :member_id AND m.status = 'active' ORDER BY t.rank"
)
_MOVES = text(
    "SELECT f.name AS from_name, t.name AS to_name, v.reason, v.valid_until, v.note, v.moved_at,"
    " p.name AS staff_name FROM tier_moves v"
    " JOIN tiers f ON f.id = v.from_tier_id JOIN tiers t ON t.id = v.to_tier_id"
    " LEFT JOIN staff_members p ON p.id = v.staff_id"
    " WHERE v.member_id = :member_id ORDER BY v.moved_at DESC, v.id DESC LIMIT :most"
)
NOTHING_YET = Standing(0, 0)


async def list_standings(tx: Tx, since: Mapping[UUID, datetime]) -> dict[UUID, Standing]:
    """Return what these members spent and how often they came since a moment of each.

    In one statement; who paid nothing is left out.
    """
    if len(since) == 1:
        [(member_id, moment)] = since.items()
        rows = await fetch_rows(tx, _STANDING_ALONE, {"id": member_id, "since": moment})
    else:
        ids = sorted(since)
        asked = {"ids": ids, "since": [since[one] for one in ids]}
        rows = await fetch_rows(tx, _STANDINGS, asked)
    return {row.member_id: Standing(row.spent_fen, row.visits) for row in rows}


async def get_tier_progress(tx: Tx, member_id: UUID, *, now: datetime) -> TierProgress:
    """Raises MemberNotFound. Spend is what was paid with the card in the last 365 days."""
    rows = await fetch_rows(tx, _TIERS, {"member_id": member_id})
    if not rows:
        raise MemberNotFound(member_id=member_id)
    found = await list_standings(tx, {member_id: now - TWELVE_MONTHS})
    standing = found.get(member_id, NOTHING_YET)
    spent_fen, visits = standing.spent_fen, standing.visits
    steps = [TierStep(row.code, row.name, row.spend_from_fen, row.visits_from) for row in rows]
    [own] = [row for row in rows if row.is_own]
    # From the tier the member has, not from what the spend alone would reach.
    above = next_tier(steps, spent_fen=spent_fen, visits=visits, own_code=own.code)
    return TierProgress(
        tier_code=own.code,
        tier_name=own.name,
        spent_fen=spent_fen,
        earned_code=tier_at(steps, spent_fen=spent_fen, visits=visits).code,
        next_code=above.code if above else None,
        next_name=above.name if above else None,
        missing_fen=_missing(above.spend_from_fen, spent_fen) if above else None,
        visits=visits,
        missing_visits=_missing(above.visits_from, visits) if above else None,
        valid_until=own.tier_valid_until,
    )


async def list_tier_moves(tx: Tx, member_id: UUID) -> list[TierMoveView]:
    """Return how the member's tier changed, latest first, at most a hundred."""
    rows = await tx.execute(_MOVES, {"member_id": member_id, "most": MOVES_MAX})
    return [TierMoveView(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name for it


def _missing(wanted: int | None, there: int) -> int | None:
    return max(wanted - there, 0) if wanted is not None else None

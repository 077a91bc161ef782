"""What a charge is worth in points: the charge as it stands, its brand's rule, what it earned."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as it stands now, with the rule that makes points of it."""

    transfer_id: UUID
    # Who has the points: the one the payer became, where the payer is merged.
    member_id: UUID
    is_active: bool
    store_id: UUID
    timezone: str
    amount_fen: int
    # What was not reversed.
    left_fen: int
    at: datetime
    points_per_yuan: int
    points_valid_months: int | None
    visit_points: int
    multiplier_bp: int


class Earning(msgspec.Struct, frozen=True, kw_only=True):
    """What a charge earned and what of it went back; see the table."""

    transfer_id: UUID
    base_fen: int
    spend_points: int
    visit_points: int
    visited_on: date | None
    points_transfer_id: UUID | None
    taken_back: int
    owed: int


class Debt(msgspec.Struct, frozen=True):
    """Points of a reversed charge that had been spent already."""

    transfer_id: UUID
    points_transfer_id: UUID
    owed: int


_CHARGE = text(
    "SELECT t.id AS transfer_id, h.id AS member_id, h.status = 'active' AS is_active, t.store_id,"
    " s.timezone, t.amount AS amount_fen, t.amount - coalesce((SELECT sum(r.amount)"
    " FROM ledger_transfers r WHERE r.reverses_id = t.id), 0)::bigint AS left_fen,"
    " t.created_at AS at, p.points_per_yuan, p.points_valid_months, p.visit_points,"
    " i.points_multiplier_bp AS multiplier_bp"
    " FROM ledger_transfers t JOIN ledger_accounts a ON a.id = t.from_account_id"
    " JOIN LATERAL (WITH RECURSIVE line AS ("
    " SELECT id, merged_into_id FROM members WHERE id = a.owner_id"
    " UNION ALL SELECT n.id, n.merged_into_id FROM line l"
    " JOIN members n ON n.id = l.merged_into_id)"
    " SELECT id FROM line WHERE merged_into_id IS NULL) w ON true JOIN members h ON h.id = w.id"
    " JOIN tiers i ON i.id = h.tier_id JOIN stores s ON s.id = t.store_id"
    " JOIN programmes p ON p.brand_id = a.brand_id"
    " WHERE t.id = :transfer_id AND t.kind IN ('debit', 'hold_posted')"
)
_EARNING = text(
    "SELECT transfer_id, base_fen, spend_points, visit_points, visited_on, points_transfer_id,"
    " taken_back, owed FROM points_earnings WHERE transfer_id = :transfer_id"
)
_VISITED = text(
    "SELECT EXISTS (SELECT 1 FROM points_earnings"
    " WHERE member_id = :member_id AND visited_on = :visited_on)"
)
_DEBTS = text(
    "SELECT transfer_id, points_transfer_id, owed FROM points_earnings"
    " WHERE member_id = :member_id AND owed > 0 ORDER BY earned_at, transfer_id LIMIT 100"
)


async def find_charge(tx: Tx, transfer_id: UUID) -> Charge | None:
    """Return a charge; None where the transfer is none."""
    row = (await tx.execute(_CHARGE, {"transfer_id": transfer_id})).mappings().first()
    return Charge(**row) if row else None


async def find_earning(tx: Tx, transfer_id: UUID) -> Earning | None:
    """Return what a charge earned; None while it was not settled."""
    row = (await tx.execute(_EARNING, {"transfer_id": transfer_id})).mappings().first()
    return Earning(**row) if row else None


async def exists_rewarded_visit(tx: Tx, *, member_id: UUID, visited_on: date) -> bool:
    """Whether the member has points for a visit on that business day."""
    return bool(await tx.scalar(_VISITED, {"member_id": member_id, "visited_on": visited_on}))


async def list_debts(tx: Tx, member_id: UUID) -> list[Debt]:
    """Return what the member owes in points, the oldest first."""
    return [Debt(*row) for row in await tx.execute(_DEBTS, {"member_id": member_id})]

"""Members' tiers under lock, with the tiers of their brands, for the actions that move them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.rules.tiers import TierStep


class TierTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A tier with what an action needs to move somebody there."""

    tier_id: UUID
    rank: int
    step: TierStep
    valid_months: int | None
    grace_days: int
    price_fen: int | None


class TierState(msgspec.Struct, frozen=True, kw_only=True):
    """A member's tier as it is, locked until the transaction ends."""

    member_id: UUID
    brand_id: UUID
    tier_id: UUID
    valid_until: datetime | None
    # Of the member's home store, or of the brand's oldest.
    timezone: str


class LastMove(msgspec.Struct, frozen=True):
    """How a member came to the tier."""

    from_tier_id: UUID
    to_tier_id: UUID
    reason: str
    moved_at: datetime


_ZONE = (
    "coalesce((SELECT s.timezone FROM stores s WHERE s.id = m.home_store_id),"
    " (SELECT s.timezone FROM stores s WHERE s.brand_id = m.brand_id"
    " ORDER BY s.created_at, s.id LIMIT 1), 'Asia/Shanghai') AS timezone"
)
_STATE = f"SELECT m.id, m.brand_id, m.tier_id, m.tier_valid_until, {_ZONE} FROM members m"  # noqa: S608 - constants of ours
# In the order of ids, which is one order for everybody.
_LOCK = text(
    f"{_STATE} WHERE m.id = ANY(CAST(:ids AS uuid[])) AND m.status = 'active'"
    " ORDER BY m.id FOR NO KEY UPDATE OF m"
)
_LOCK_LAPSED = text(
    f"{_STATE} JOIN tiers t ON t.id = m.tier_id WHERE m.status = 'active'"
    " AND m.tier_valid_until <= :now AND t.valid_months IS NOT NULL"
    " AND m.tier_valid_until + make_interval(days => t.grace_days::int) <= :now"
    " ORDER BY m.tier_valid_until, m.id LIMIT :most FOR NO KEY UPDATE OF m SKIP LOCKED"
)
_LOCK_UNDATED = text(
    f"{_STATE} JOIN tiers t ON t.id = m.tier_id"  # noqa: S608 - constants of ours
    " WHERE m.status = 'active' AND m.tier_valid_until IS NULL"
    " AND t.valid_months IS NOT NULL AND t.id IN (SELECT h.id FROM tiers h"
    " WHERE h.rank > (SELECT min(l.rank) FROM tiers l WHERE l.brand_id = h.brand_id))"
    " ORDER BY m.id LIMIT :most FOR NO KEY UPDATE OF m SKIP LOCKED"
)
_LIST_OF_BRAND = text(
    "SELECT id FROM members WHERE brand_id = :brand_id AND status = 'active'"
    " AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :most"
)
_TERMS = text(
    "SELECT id, brand_id, code, name, rank, spend_from_fen, visits_from, valid_months, grace_days,"
    " price_fen FROM tiers WHERE brand_id = ANY(CAST(:brand_ids AS uuid[])) ORDER BY rank"
)
_NAME = text("SELECT name FROM tiers WHERE brand_id = :brand_id AND code = :code")
_OF_REQUEST = text("SELECT member_id, to_tier_id FROM tier_moves WHERE request_id = :request_id")
_LAST_MOVE = text(
    "SELECT from_tier_id, to_tier_id, reason, moved_at FROM tier_moves"
    " WHERE member_id = :member_id ORDER BY moved_at DESC, id DESC LIMIT 1"
)


async def lock_tier_states(tx: Tx, member_ids: Sequence[UUID]) -> list[TierState]:
    """Lock these members; who is merged or deleted is left out."""
    return _states(await tx.execute(_LOCK, {"ids": sorted(set(member_ids))}))


async def lock_lapsed(tx: Tx, *, now: datetime, most: int) -> list[TierState]:
    """Lock members whose tier's time and grace are over, the longest first."""
    return _states(await tx.execute(_LOCK_LAPSED, {"now": now, "most": most}))


async def lock_undated(tx: Tx, *, most: int) -> list[TierState]:
    """Lock members above the lowest tier to whom no end was set though the tier has one."""
    return _states(await tx.execute(_LOCK_UNDATED, {"most": most}))


async def list_members_of_brand(
    tx: Tx, brand_id: UUID, *, after: UUID | None, most: int
) -> list[UUID]:
    """Return the next members in the order of ids."""
    rows = await tx.execute(_LIST_OF_BRAND, {"brand_id": brand_id, "after": after, "most": most})
    return [row.id for row in rows]


async def list_tier_terms(tx: Tx, brand_ids: Sequence[UUID]) -> dict[UUID, list[TierTerms]]:
    """Return the tiers of these brands, each brand's from the lowest up."""
    found: dict[UUID, list[TierTerms]] = {}
    for row in await tx.execute(_TERMS, {"brand_ids": sorted(set(brand_ids))}):
        found.setdefault(row.brand_id, []).append(
            TierTerms(
                tier_id=row.id,
                rank=row.rank,
                step=TierStep(row.code, row.name, row.spend_from_fen, row.visits_from),
                valid_months=row.valid_months,
                grace_days=row.grace_days,
                price_fen=row.price_fen,
            )
        )
    return found


async def get_tier_name(tx: Tx, brand_id: UUID, *, code: str) -> str:
    """Return what the brand calls a tier; the code itself where there is none any more."""
    found = await tx.scalar(_NAME, {"brand_id": brand_id, "code": code})
    return str(found) if found else code


async def find_move_of_request(tx: Tx, request_id: UUID) -> tuple[UUID, UUID] | None:
    """Return member and tier of the move that an intention brought about."""
    row = (await tx.execute(_OF_REQUEST, {"request_id": request_id})).first()
    return (row.member_id, row.to_tier_id) if row else None


async def find_last_move(tx: Tx, member_id: UUID) -> LastMove | None:
    """Return the latest move of a member."""
    row = (await tx.execute(_LAST_MOVE, {"member_id": member_id})).first()
    return LastMove(*row) if row else None


def _states(rows: Any) -> list[TierState]:
    return [
        TierState(
            member_id=row.id,
            brand_id=row.brand_id,
            tier_id=row.tier_id,
            valid_until=row.tier_valid_until,
            timezone=row.timezone,
        )
        for row in rows
    ]

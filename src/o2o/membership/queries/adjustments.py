"""Reads of corrections: one under lock, a brand's by how they stand, what a person proposed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.adjustments import Adjustment
from o2o.crm.statuses import Asset, LotKind, ProposalStatus
from o2o.infra.database import Tx
from o2o.membership.errors_programme import AdjustmentNotFound

LIST_MAX = 200


class AdjustmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A correction as the console shows it."""

    id: UUID
    member_id: UUID
    member_name: str | None
    card_no: str | None
    store_id: UUID | None
    store_name: str | None
    asset: Asset
    delta: int
    lot_kind: LotKind
    reason: str
    status: ProposalStatus
    proposed_by: UUID
    proposed_by_name: str
    proposed_at: datetime
    expires_at: datetime
    decided_by_name: str | None
    decided_at: datetime | None
    decision_note: str | None
    transfer_id: UUID | None


class MemberFound(msgspec.Struct, frozen=True, kw_only=True):
    """A member whom staff looks up by card number, with what there is to put right."""

    member_id: UUID
    name: str | None
    card_no: str
    is_named: bool


_VIEWS = (
    "SELECT j.id, j.member_id, m.name AS member_name,"
    " (SELECT c.card_no FROM cards c WHERE c.member_id = m.id"
    " ORDER BY c.status, c.issued_at DESC LIMIT 1) AS card_no,"
    " j.store_id, s.name AS store_name, j.asset, j.delta, j.lot_kind, j.reason, j.status,"
    " j.proposed_by, p.name AS proposed_by_name, j.proposed_at, j.expires_at,"
    " d.name AS decided_by_name, j.decided_at, j.decision_note, j.transfer_id"
    " FROM adjustments j JOIN members m ON m.id = j.member_id"
    " JOIN staff_members p ON p.id = j.proposed_by"
    " LEFT JOIN staff_members d ON d.id = j.decided_by"
    " LEFT JOIN stores s ON s.id = j.store_id"
    " WHERE j.brand_id = :brand_id"
)
# Without stores the reader sees the whole brand.
_LIST = text(
    f"{_VIEWS} AND j.status = ANY(CAST(:statuses AS text[]))"
    " AND (CAST(:store_ids AS uuid[]) IS NULL OR j.store_id = ANY(CAST(:store_ids AS uuid[])))"
    " ORDER BY j.proposed_at DESC, j.id DESC LIMIT :most"
)
_ONE = text(f"{_VIEWS} AND j.id = :id")
_USED = text(
    "SELECT coalesce(sum(abs(delta)), 0)::bigint FROM adjustments"
    " WHERE proposed_by = :staff_id AND asset = :asset AND proposed_at > :since"
    " AND status IN ('proposed', 'approved')"
)
_BY_CARD = text(
    "SELECT m.id AS member_id, m.name, c.card_no,"
    " m.name IS NOT NULL AND m.phone_verified_at IS NOT NULL AS is_named"
    " FROM cards c JOIN members m ON m.id = c.member_id AND m.status = 'active'"
    " WHERE c.brand_id = :brand_id AND c.card_no = :card_no AND c.status = 'active'"
)
_SURVIVOR = text(
    "SELECT h.id AS member_id, h.brand_id, h.status = 'active' AS is_active,"
    " h.name IS NOT NULL AND h.phone_verified_at IS NOT NULL AS is_named"
    " FROM members m JOIN members h ON h.id = coalesce(m.merged_into_id, m.id) WHERE m.id = :id"
)


class Survivor(msgspec.Struct, frozen=True):
    """Who has a member's money now: the member, or the one it became."""

    member_id: UUID
    brand_id: UUID
    is_active: bool
    is_named: bool


async def find_adjustment(tx: Tx, adjustment_id: UUID) -> Adjustment | None:
    """Return a correction of any brand, for whoever compares a repeated request."""
    found: Adjustment | None = await tx.scalar(
        select(Adjustment).where(Adjustment.id == adjustment_id)
    )
    return found


async def lock_adjustment(tx: Tx, adjustment_id: UUID, *, brand_id: UUID) -> Adjustment:
    """Return a correction of the brand, locked. Raises AdjustmentNotFound."""
    found: Adjustment | None = await tx.scalar(
        select(Adjustment)
        .where(Adjustment.id == adjustment_id, Adjustment.brand_id == brand_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise AdjustmentNotFound
    return found


async def get_adjustment(tx: Tx, adjustment_id: UUID, *, brand_id: UUID) -> AdjustmentView:
    """Return a correction as people read it. Raises AdjustmentNotFound."""
    row = (await tx.execute(_ONE, {"brand_id": brand_id, "id": adjustment_id})).mappings().first()
    if row is None:
        raise AdjustmentNotFound
    return msgspec.convert(dict(row), type=AdjustmentView)


async def list_adjustments(
    tx: Tx,
    *,
    brand_id: UUID,
    statuses: Sequence[ProposalStatus],
    store_ids: Sequence[UUID] | None,
) -> list[AdjustmentView]:
    """Return a brand's corrections, of these stores or all, latest first, at most two hundred."""
    rows = await tx.execute(
        _LIST,
        {
            "brand_id": brand_id,
            "statuses": [status.value for status in statuses],
            "store_ids": sorted(store_ids) if store_ids is not None else None,
            "most": LIST_MAX,
        },
    )
    return [msgspec.convert(dict(row), type=AdjustmentView) for row in rows.mappings()]


async def get_proposed_since(tx: Tx, *, staff_id: UUID, asset: Asset, since: datetime) -> int:
    """Return how much somebody proposed since, in fen or points, up and down alike."""
    used = await tx.scalar(_USED, {"staff_id": staff_id, "asset": asset.value, "since": since})
    return int(used or 0)


async def find_member_of_card(tx: Tx, *, brand_id: UUID, card_no: str) -> MemberFound | None:
    """Return the member who holds that card of the brand."""
    row = (await tx.execute(_BY_CARD, {"brand_id": brand_id, "card_no": card_no})).mappings()
    found = row.first()
    return MemberFound(**found) if found else None


async def find_survivor(tx: Tx, member_id: UUID) -> Survivor | None:
    """Return who has the member's money now."""
    row = (await tx.execute(_SURVIVOR, {"id": member_id})).first()
    return Survivor(*row) if row else None

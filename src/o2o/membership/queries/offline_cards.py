"""Cards bought over the counter: found by number, and listed for their member."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import OfflineCardStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId


class FoundCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card of the brand, with the member it belongs to now."""

    id: UUID
    member_id: MemberId
    card_no: str
    code_hash: bytes | None
    status: OfflineCardStatus
    # Whether somebody in WeChat is that member.
    is_claimed: bool


class OwnCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card of a member as the member sees it."""

    id: UUID
    card_no: str
    status: OfflineCardStatus
    bound_at: datetime | None


_FIND = text(
    "SELECT c.id, c.member_id, c.card_no, c.code_hash, c.status,"
    " EXISTS (SELECT 1 FROM fans f WHERE f.member_id = c.member_id) AS is_claimed"
    " FROM offline_cards c WHERE c.brand_id = :brand_id AND c.card_no = :card_no"
)
_LOCK = text("SELECT id FROM offline_cards WHERE id = :id FOR NO KEY UPDATE")
_OF_MEMBER = text(
    "SELECT id, card_no, status, bound_at FROM offline_cards WHERE member_id = :member_id"
    " ORDER BY created_at, id LIMIT 50"
)


async def find_offline_card(tx: Tx, *, brand_id: UUID, card_no: str) -> FoundCard | None:
    """Return a card of the brand by its folded number."""
    row = (await tx.execute(_FIND, {"brand_id": brand_id, "card_no": card_no})).first()
    if row is None:
        return None
    return FoundCard(
        id=row.id,
        member_id=MemberId(row.member_id),
        card_no=row.card_no,
        code_hash=bytes(row.code_hash) if row.code_hash is not None else None,
        status=OfflineCardStatus(row.status),
        is_claimed=row.is_claimed,
    )


async def lock_offline_card(tx: Tx, card_id: UUID) -> None:
    """Let one transaction at a time decide what becomes of a card."""
    await tx.execute(_LOCK, {"id": card_id})


async def list_offline_cards(tx: Tx, member_id: UUID) -> list[OwnCard]:
    """Return a member's cards, oldest first."""
    rows = await tx.execute(_OF_MEMBER, {"member_id": member_id})
    return [
        OwnCard(
            id=row.id,
            card_no=row.card_no,
            status=OfflineCardStatus(row.status),
            bound_at=row.bound_at,
        )
        for row in rows
    ]

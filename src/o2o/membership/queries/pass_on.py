"""Offers of stored value from one member to another, as both see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.privacy import PassOnOffer
from o2o.crm.statuses import PassOnStatus
from o2o.infra.database import Tx
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_pass_on import PassOnNotFound


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer; names are whole, for those who show them to mask. Amounts in fen."""

    id: UUID
    brand_id: UUID
    from_member_id: UUID
    to_member_id: UUID | None
    from_name: str | None
    to_name: str | None
    to_card_no: str | None
    by_link: bool
    amount_fen: int
    message: str | None
    status: PassOnStatus
    offered_at: datetime
    expires_at: datetime
    ended_at: datetime | None


_OFFERS = (
    "SELECT o.id, o.brand_id, o.from_member_id, o.to_member_id, f.name AS from_name,"
    " t.name AS to_name, c.card_no AS to_card_no, o.token_hash IS NOT NULL AS by_link,"
    " o.amount_fen, o.message, o.status, o.offered_at, o.expires_at, o.ended_at"
    " FROM pass_on_offers o JOIN members f ON f.id = o.from_member_id"
    " LEFT JOIN members t ON t.id = o.to_member_id"
    " LEFT JOIN cards c ON c.member_id = o.to_member_id AND c.status = 'active'"
)
_OF_MEMBER = text(
    f"{_OFFERS} WHERE o.from_member_id = :member_id OR o.to_member_id = :member_id"
    " ORDER BY (o.status = 'offered') DESC, o.offered_at DESC LIMIT :most"
)
_BY_ID = text(f"{_OFFERS} WHERE o.id = :id")
_BY_TOKEN = text(f"{_OFFERS} WHERE o.token_hash = :token_hash")
_DUE = text(
    "SELECT id FROM pass_on_offers WHERE status = 'offered' AND expires_at <= :now"
    " ORDER BY expires_at LIMIT :most"
)
_OPEN_TO = text(
    "SELECT id FROM pass_on_offers WHERE to_member_id = ANY(CAST(:ids AS uuid[]))"
    " AND status = 'offered' ORDER BY id"
)
# Where the value on the card was sold last; any store of the brand for a card without value.
_STORE = text(
    "SELECT s.id FROM members m JOIN stores s ON s.brand_id = m.brand_id WHERE m.id = :member_id"
    " ORDER BY s.id = (SELECT t.store_id FROM ledger_lots l"
    "  JOIN ledger_accounts a ON a.id = l.account_id"
    "  JOIN ledger_transfers t ON t.id = l.origin_transfer_id"
    "  WHERE a.owner_id = m.id AND a.kind = 'member_stored_value' AND l.remaining > 0"
    "  AND t.store_id IS NOT NULL ORDER BY l.granted_at DESC LIMIT 1) DESC NULLS LAST, s.id LIMIT 1"
)
_COUNT_OPEN = text(
    "SELECT count(*) FROM pass_on_offers WHERE from_member_id = :member_id AND status = 'offered'"
)


async def list_offers(tx: Tx, member_id: UUID, *, limit: int = 20) -> list[OfferView]:
    """Return what a member gave and was given: what waits first, then the latest."""
    rows = await tx.execute(_OF_MEMBER, {"member_id": member_id, "most": limit})
    return [_view(row) for row in rows]


async def find_offer(tx: Tx, offer_id: UUID) -> OfferView | None:
    """Return an offer by its id."""
    row = (await tx.execute(_BY_ID, {"id": offer_id})).first()
    return _view(row) if row else None


async def find_offer_by_token(tx: Tx, token_hash: bytes) -> OfferView | None:
    """Return the offer whose link carries that token."""
    row = (await tx.execute(_BY_TOKEN, {"token_hash": token_hash})).first()
    return _view(row) if row else None


async def lock_offer(tx: Tx, offer_id: UUID) -> PassOnOffer:
    """Row lock until the transaction ends. Raises PassOnNotFound."""
    found: PassOnOffer | None = await tx.scalar(
        select(PassOnOffer).where(PassOnOffer.id == offer_id).with_for_update()
    )
    if found is None:
        raise PassOnNotFound
    return found


async def list_due_offers(tx: Tx, *, now: datetime, limit: int) -> list[UUID]:
    """Return offers that nobody took in time."""
    return list(await tx.scalars(_DUE, {"now": now, "most": limit}))


async def list_open_offers_to(tx: Tx, member_ids: list[UUID]) -> list[UUID]:
    """Return offers that wait for these members' answer."""
    return list(await tx.scalars(_OPEN_TO, {"ids": member_ids}))


async def count_open_offers(tx: Tx, member_id: UUID) -> int:
    """Return how many of a member's own offers wait."""
    return int(await tx.scalar(_COUNT_OPEN, {"member_id": member_id}) or 0)


async def get_store_of_value(tx: Tx, member_id: UUID) -> UUID:
    """Return the store in whose name value is set aside. Raises MemberNotFound."""
    found: UUID | None = await tx.scalar(_STORE, {"member_id": member_id})
    if found is None:
        raise MemberNotFound(member_id=member_id)
    return found


def _view(row: Any) -> OfferView:
    return OfferView(**{**row._mapping, "status": PassOnStatus(row.status)})  # noqa: SLF001

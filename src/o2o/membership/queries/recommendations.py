"""What to offer a member at the counter: reads what `rules.recommend` decides on."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.queries.taste import get_taste_owner, list_bills
from o2o.membership.rules.recommend import (
    Affinity,
    Item,
    Known,
    Recommendation,
    Selling,
    recommend_items,
)
from o2o.membership.rules.taste import Bill

# What a store sells most, as many dishes as anybody has to choose from.
SELLING_MAX = 60
# Own dishes whose company is looked at.
OWN_ITEMS_MAX = 30

_SELLING = text(
    "SELECT p.item_code, p.bills, p.weight * 10000 / greatest(b.weight, 1) AS share_bp"
    " FROM item_popularities p"
    " JOIN item_popularities b ON b.store_id = p.store_id AND b.item_code = ''"
    " WHERE p.store_id = :store_id AND p.item_code <> '' ORDER BY p.weight DESC LIMIT :most"
)
_AFFINITIES = text(
    "SELECT item_code, other_code, affinity_bp, members_both FROM item_affinities"
    " WHERE brand_id = :brand_id AND item_code = ANY(CAST(:codes AS text[]))"
)
_ITEMS = text(
    "SELECT item_code, name, contains FROM purchase_items"
    " WHERE brand_id = :brand_id AND item_code = ANY(CAST(:codes AS text[])) AND is_recommended"
)
_IS_OF_BRAND = text("SELECT 1 FROM stores WHERE id = :store_id AND brand_id = :brand_id")


async def recommend(
    tx: Tx, member_id: UUID, *, store_id: UUID, now: datetime, limit: int = 3
) -> list[Recommendation]:
    """Return dishes to offer in this store, likeliest first. Raises MemberNotFound.

    None in another brand's store. Who said no to profiling is offered what sells here, less
    what they told us they cannot or will not eat.
    """
    owner = await get_taste_owner(tx, member_id)
    values = {"store_id": store_id, "brand_id": owner.brand_id}
    if await tx.scalar(_IS_OF_BRAND, values) is None:
        return []
    bills = await list_bills(tx, owner.member_ids, now=now) if owner.is_profiled else []
    selling = [
        Selling(item_code=row.item_code, share_bp=row.share_bp, bills=row.bills)
        for row in await tx.execute(_SELLING, {"store_id": store_id, "most": SELLING_MAX})
    ]
    own = _own_items(bills)
    affinities = await _affinities(tx, own[:OWN_ITEMS_MAX], brand_id=owner.brand_id)
    codes = {*own, *(sold.item_code for sold in selling), *(a.other_code for a in affinities)}
    known = Known(
        bills=bills,
        items=await _items(tx, codes, brand_id=owner.brand_id),
        affinities=affinities,
        selling=selling,
        allergies=owner.allergies,
        dislikes=owner.dislikes,
        likes=owner.likes,
    )
    return recommend_items(known, now=now, limit=limit)


def _own_items(bills: Iterable[Bill]) -> list[str]:
    """List what is on the bills, of the latest bill first, each once."""
    return list(dict.fromkeys(item.item_code for bill in bills for item in bill.items))


async def _affinities(tx: Tx, codes: list[str], *, brand_id: UUID) -> list[Affinity]:
    if not codes:
        return []
    rows = await tx.execute(_AFFINITIES, {"brand_id": brand_id, "codes": codes})
    return [
        Affinity(
            item_code=row.item_code,
            other_code=row.other_code,
            affinity_bp=row.affinity_bp,
            members_both=row.members_both,
        )
        for row in rows
    ]


async def _items(tx: Tx, codes: Iterable[str], *, brand_id: UUID) -> dict[str, Item]:
    rows = await tx.execute(_ITEMS, {"brand_id": brand_id, "codes": sorted(codes)})
    return {
        row.item_code: Item(
            item_code=row.item_code,
            name=row.name,
            contains=None if row.contains is None else tuple(row.contains),
        )
        for row in rows
    }

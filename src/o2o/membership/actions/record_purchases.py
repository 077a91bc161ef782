"""Record what members bought, many bills at once: told of twice, kept once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import column, text
from sqlalchemy.dialects.postgresql import JSONB

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_dossier import PurchaseDiffers, PurchaseMalformed
from o2o.stores.errors import StoreNotFound

LINES_MAX = 200
QUANTITY_MAX = 9_999
# Far above any bill, far below what 64 bits hold.
AMOUNT_FEN_MAX = 100_000_000
CODE_CHARS_MAX = 64


class BoughtLine(msgspec.Struct, frozen=True, kw_only=True):
    """One dish or service: its code (its name where it has none), how many, fen paid for it."""

    item_code: str
    item_name: str
    quantity: int
    amount_fen: int


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """One bill. `source` is the system that tells of it, `external_id` its number there."""

    member_id: UUID
    store_id: UUID
    source: str
    external_id: str
    total_fen: int
    bought_at: datetime
    lines: tuple[BoughtLine, ...]


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The bill is in the record; `is_replay` when it was there before."""

    purchase_id: UUID
    is_replay: bool


_KNOWN = text(
    "SELECT (SELECT array_agg(id) FROM members WHERE id = ANY(CAST(:members AS uuid[]))"
    " AND brand_id = :brand_id AND status = 'active') AS members,"
    " (SELECT array_agg(id) FROM stores WHERE id = ANY(CAST(:stores AS uuid[]))"
    " AND brand_id = :brand_id) AS stores"
)
# In the order of the unique key, so that two batches never wait for each other crosswise.
_INSERT = text(
    "INSERT INTO purchases"
    " (id, brand_id, member_id, store_id, source, external_id, total_fen, bought_at)"
    " SELECT b.id, :brand_id, b.member_id, b.store_id, b.source, b.external_id, b.total_fen,"
    " b.bought_at FROM unnest(CAST(:ids AS uuid[]), CAST(:members AS uuid[]),"
    " CAST(:stores AS uuid[]), CAST(:sources AS text[]), CAST(:external_ids AS text[]),"
    " CAST(:totals AS bigint[]), CAST(:ats AS timestamptz[])) WITH ORDINALITY"
    " AS b(id, member_id, store_id, source, external_id, total_fen, bought_at, number)"
    " ORDER BY b.source, b.external_id, b.number"
    " ON CONFLICT (brand_id, source, external_id) DO NOTHING RETURNING id"
)
_LINES = text(
    "INSERT INTO purchase_lines"
    " (purchase_id, position, item_code, item_name, quantity, amount_fen)"
    " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS smallint[]),"
    " CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:quantities AS smallint[]),"
    " CAST(:amounts AS bigint[]))"
)
_ITEMS = text(
    "INSERT INTO purchase_items (brand_id, item_code, name, updated_at)"
    " SELECT :brand_id, i.code, i.name, :now"
    " FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[])) AS i(code, name)"
    " ORDER BY i.code ON CONFLICT (brand_id, item_code) DO NOTHING"
)
_EARLIER = text(
    "SELECT p.id, p.source, p.external_id, p.store_id, p.total_fen, p.bought_at,"
    " coalesce((SELECT jsonb_agg(jsonb_build_array(l.item_code, l.item_name, l.quantity,"
    " l.amount_fen) ORDER BY l.position) FROM purchase_lines l WHERE l.purchase_id = p.id),"
    " '[]'::jsonb) AS lines"
    " FROM unnest(CAST(:sources AS text[]), CAST(:external_ids AS text[]))"
    " AS b(source, external_id) JOIN purchases p ON p.brand_id = :brand_id"
    " AND p.source = b.source AND p.external_id = b.external_id"
).columns(
    column("id"),
    column("source"),
    column("external_id"),
    column("store_id"),
    column("total_fen"),
    column("bought_at"),
    column("lines", JSONB),
)


async def record_purchases(
    tx: Tx, purchases: Sequence[Bought], *, brand_id: UUID, now: datetime
) -> list[Recorded | Fact]:
    """Record bills; answer in their order with what became of each.

    Facts: PurchaseMalformed; MemberNotFound and StoreNotFound, also for another brand's;
    PurchaseDiffers when the number is known with other contents.
    """
    refusals = await _refusals(tx, purchases, brand_id=brand_id)
    ids = [new_id() for _ in purchases]
    fit = [number for number in range(len(purchases)) if number not in refusals]
    if not fit:
        return [refusals[number] for number in range(len(purchases))]
    inserted = await _insert(tx, purchases, ids=ids, fit=fit, brand_id=brand_id)
    new = [number for number in fit if ids[number] in inserted]
    await _insert_lines(tx, purchases, ids=ids, new=new, brand_id=brand_id, now=now)
    known = [purchases[number] for number in fit if ids[number] not in inserted]
    earlier = await _earlier(tx, known, brand_id=brand_id) if known else {}
    return [
        refusals.get(number) or _outcome(purchase, ids[number], inserted=inserted, earlier=earlier)
        for number, purchase in enumerate(purchases)
    ]


def _outcome(
    purchase: Bought,
    new: UUID,
    *,
    inserted: set[UUID],
    earlier: dict[tuple[str, str], tuple[UUID, datetime, object]],
) -> Recorded | Fact:
    if new in inserted:
        return Recorded(purchase_id=new, is_replay=False)
    known_id, bought_at, contents = earlier[purchase.source, purchase.external_id]
    # Not the member: the one it was told of may have become one with another since.
    if contents != _contents(purchase):
        return PurchaseDiffers(external_id=purchase.external_id, bought_at=bought_at)
    return Recorded(purchase_id=known_id, is_replay=True)


def _contents(purchase: Bought) -> object:
    lines = [[x.item_code, x.item_name, x.quantity, x.amount_fen] for x in purchase.lines]
    return (purchase.store_id, purchase.total_fen, purchase.bought_at, lines)


def _fault_of(purchase: Bought) -> str | None:
    """Return the field that no bill can have so."""
    if not 1 <= len(purchase.external_id) <= CODE_CHARS_MAX:
        return "external_id"
    if not 1 <= len(purchase.source) <= CODE_CHARS_MAX:
        return "source"
    if not 0 <= purchase.total_fen <= AMOUNT_FEN_MAX:
        return "total_fen"
    is_fine = len(purchase.lines) <= LINES_MAX and all(
        1 <= len(line.item_code) <= CODE_CHARS_MAX
        and 1 <= len(line.item_name) <= CODE_CHARS_MAX
        and 1 <= line.quantity <= QUANTITY_MAX
        and 0 <= line.amount_fen <= AMOUNT_FEN_MAX
        for line in purchase.lines
    )
    return None if is_fine else "lines"


async def _refusals(tx: Tx, purchases: Sequence[Bought], *, brand_id: UUID) -> dict[int, Fact]:
    known = (
        await tx.execute(
            _KNOWN,
            {
                "brand_id": brand_id,
                "members": sorted({purchase.member_id for purchase in purchases}),
                "stores": sorted({purchase.store_id for purchase in purchases}),
            },
        )
    ).one()
    members, stores = set(known.members or ()), set(known.stores or ())
    refusals: dict[int, Fact] = {}
    for number, purchase in enumerate(purchases):
        if (fault := _fault_of(purchase)) is not None:
            refusals[number] = PurchaseMalformed(field=fault)
        elif purchase.member_id not in members:
            refusals[number] = MemberNotFound(member_id=purchase.member_id)
        elif purchase.store_id not in stores:
            refusals[number] = StoreNotFound(store_id=purchase.store_id)
    return refusals


async def _insert(
    tx: Tx, purchases: Sequence[Bought], *, ids: list[UUID], fit: list[int], brand_id: UUID
) -> set[UUID]:
    told = [purchases[number] for number in fit]
    rows = await tx.execute(
        _INSERT,
        {
            "brand_id": brand_id,
            "ids": [ids[number] for number in fit],
            "members": [purchase.member_id for purchase in told],
            "stores": [purchase.store_id for purchase in told],
            "sources": [purchase.source for purchase in told],
            "external_ids": [purchase.external_id for purchase in told],
            "totals": [purchase.total_fen for purchase in told],
            "ats": [purchase.bought_at for purchase in told],
        },
    )
    return {row.id for row in rows}


async def _insert_lines(
    tx: Tx,
    purchases: Sequence[Bought],
    *,
    ids: list[UUID],
    new: list[int],
    brand_id: UUID,
    now: datetime,
) -> None:
    placed = [
        (ids[number], position, line)
        for number in new
        for position, line in enumerate(purchases[number].lines)
    ]
    if not placed:
        return
    await tx.execute(
        _LINES,
        {
            "ids": [purchase_id for purchase_id, _, _ in placed],
            "positions": [position for _, position, _ in placed],
            "codes": [line.item_code for _, _, line in placed],
            "names": [line.item_name for _, _, line in placed],
            "quantities": [line.quantity for _, _, line in placed],
            "amounts": [line.amount_fen for _, _, line in placed],
        },
    )
    names = {line.item_code: line.item_name for _, _, line in placed}
    values = {"brand_id": brand_id, "codes": list(names), "names": list(names.values())}
    await tx.execute(_ITEMS, values | {"now": now})


async def _earlier(
    tx: Tx, purchases: Sequence[Bought], *, brand_id: UUID
) -> dict[tuple[str, str], tuple[UUID, datetime, object]]:
    rows = await tx.execute(
        _EARLIER,
        {
            "brand_id": brand_id,
            "sources": [purchase.source for purchase in purchases],
            "external_ids": [purchase.external_id for purchase in purchases],
        },
    )
    return {
        (row.source, row.external_id): (
            row.id,
            row.bought_at,
            (row.store_id, row.total_fen, row.bought_at, row.lines),
        )
        for row in rows
    }

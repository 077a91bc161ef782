"""Carry checked bills over: each once, however often and by whatever file it is told."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.crm.imports import Import
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id

# Whole bills only, in the order of their numbers. A member who became another is followed there.
_BILLS = text(
    "SELECT r.external_id, count(*) AS line_count,"
    " CAST(min(CAST(coalesce(m.merged_into_id, m.id) AS text)) AS uuid) AS member_id,"
    " CAST(min(CAST(r.store_id AS text)) AS uuid) AS store_id, min(r.bought_at) AS bought_at,"
    " coalesce(max(r.total_fen), sum(r.amount_fen))::bigint AS total_fen"
    " FROM import_purchase_rows r JOIN members m ON m.id = r.member_id"
    " WHERE r.import_id = :id AND r.fault IS NULL AND r.external_id > :cursor"
    " GROUP BY r.external_id ORDER BY r.external_id LIMIT :limit"
)
_PURCHASES = text(
    "INSERT INTO purchases (id, brand_id, member_id, store_id, source, external_id, total_fen,"
    " bought_at) SELECT id, :brand_id, member_id, store_id, :source, external_id, total_fen,"
    " bought_at FROM unnest(CAST(:ids AS uuid[]), CAST(:member_ids AS uuid[]),"
    " CAST(:store_ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:totals AS bigint[]),"
    " CAST(:bought_ats AS timestamptz[]))"
    " AS p(id, member_id, store_id, external_id, total_fen, bought_at)"
    " ON CONFLICT (brand_id, source, external_id) DO NOTHING RETURNING id, external_id"
)
_LINES = text(
    "INSERT INTO purchase_lines (purchase_id, position, item_code, item_name, quantity,"
    " amount_fen) SELECT p.id, CAST(row_number() OVER (PARTITION BY p.id ORDER BY r.line)"
    " AS smallint), r.item_code, r.item_name, r.quantity, r.amount_fen"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:external_ids AS text[])) AS p(id, external_id)"
    " JOIN import_purchase_rows r ON r.import_id = :id AND r.external_id = p.external_id"
)
_KNOWN = text(
    "UPDATE import_purchase_rows SET fault = 'bill_exists' WHERE import_id = :id"
    " AND external_id = ANY(CAST(:external_ids AS text[]))"
)


async def carry_purchases(tx: Tx, one: Import, *, limit: int) -> tuple[int, int, bool]:
    """Carry the next bills over; return rows done, rows left out, and whether all are done.

    `one` is locked by the caller and its cursor is moved.
    """
    bills = (
        await tx.execute(_BILLS, {"id": one.id, "cursor": one.cursor_key, "limit": limit})
    ).all()
    if not bills:
        return 0, 0, True
    new = await _enter(tx, one, bills)
    known = [bill for bill in bills if bill.external_id not in new]
    if known:
        await tx.execute(
            _KNOWN, {"id": one.id, "external_ids": [bill.external_id for bill in known]}
        )
    one.cursor_key = bills[-1].external_id
    left_out = sum(bill.line_count for bill in known)
    done = sum(bill.line_count for bill in bills) - left_out
    return done, left_out, len(bills) < limit


async def _enter(tx: Tx, one: Import, bills: Any) -> dict[str, UUID]:
    inserted = await tx.execute(
        _PURCHASES,
        {
            "brand_id": one.brand_id,
            "source": one.source,
            "ids": [new_id() for _ in bills],
            "member_ids": [bill.member_id for bill in bills],
            "store_ids": [bill.store_id for bill in bills],
            "external_ids": [bill.external_id for bill in bills],
            "totals": [bill.total_fen for bill in bills],
            "bought_ats": [bill.bought_at for bill in bills],
        },
    )
    new = {row.external_id: row.id for row in inserted}
    if new:
        await tx.execute(
            _LINES, {"id": one.id, "ids": list(new.values()), "external_ids": list(new)}
        )
    return new

"""Empty imports whose time is over: single rows name people, and are deleted."""

from datetime import datetime, timedelta

from sqlalchemy import select, text

from o2o.crm.imports import Import
from o2o.crm.statuses import ImportStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId
from o2o.membership.actions.import_confirm import withdraw_import

# How long the rows of an ended import can be looked at, and how long one may wait to be confirmed.
KEPT = timedelta(days=30)
AT_ONCE = 20

_OVER = text(
    "SELECT id FROM imports WHERE ended_at < :before AND emptied_at IS NULL"
    " ORDER BY ended_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_EMPTY = (
    text("DELETE FROM import_card_rows WHERE import_id = :id"),
    text("DELETE FROM import_purchase_rows WHERE import_id = :id"),
    text("DELETE FROM import_faults WHERE import_id = :id"),
    text("DELETE FROM import_chunks WHERE import_id = :id"),
)
_EMPTIED = text("UPDATE imports SET emptied_at = :now WHERE id = :id")


async def empty_imports(tx: Tx, now: datetime) -> None:
    """Delete rows, faults and pieces of the file; totals and hash stay: the file is never new."""
    await _withdraw_forgotten(tx, now)
    for _ in range(AT_ONCE):
        import_id = await tx.scalar(_OVER, {"before": now - KEPT})
        if import_id is None:
            return
        for statement in _EMPTY:
            await tx.execute(statement, {"id": import_id})
        await tx.execute(_EMPTIED, {"id": import_id, "now": now})


async def _withdraw_forgotten(tx: Tx, now: datetime) -> None:
    forgotten = await tx.execute(
        select(Import.id, Import.brand_id)
        .where(Import.status == ImportStatus.CHECKED, Import.checked_at < now - KEPT)
        .order_by(Import.id)
        .limit(AT_ONCE)
    )
    for row in forgotten.all():
        await withdraw_import(
            tx, import_id=row.id, brand_id=BrandId(row.brand_id), by=None, now=now
        )

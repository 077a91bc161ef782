"""Close a visit when the member leaves the counter, before its five minutes are over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx

_CLOSE = text(
    "UPDATE counter_visits SET closed_at = :now"
    " WHERE id = :visit_id AND pad_id = :pad_id AND closed_at IS NULL"
)


async def close_visit(tx: Tx, *, visit_id: UUID, pad_id: UUID, now: datetime) -> None:
    """Close a pad's own visit; closing again, or another pad's, changes nothing."""
    await tx.execute(_CLOSE, {"visit_id": visit_id, "pad_id": pad_id, "now": now})

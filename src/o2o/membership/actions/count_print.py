"""Count that a receipt is printed: from the second time on the paper says that it is a copy."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx

_COUNT = text(
    "INSERT INTO receipt_prints AS p (transfer_id, prints, printed_at)"
    " VALUES (:transfer_id, 1, :now)"
    " ON CONFLICT (transfer_id) DO UPDATE SET prints = least(p.prints + 1, 999), printed_at = :now"
    " RETURNING prints"
)


async def count_print(tx: Tx, *, transfer_id: UUID, now: datetime) -> int:
    """Return which print of the receipt this is; the caller knows that it is one of the store's."""
    prints: int = (await tx.execute(_COUNT, {"transfer_id": transfer_id, "now": now})).scalar_one()
    return prints

"""Reads of what a hall sees and hears: the last calls of a store's business day."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx

# The last call of each ticket, latest first. Who left after the call is no longer shown.
_CALLS = text(
    "SELECT * FROM (SELECT DISTINCT ON (c.ticket_id) c.seq, c.ticket_id, c.kind, c.desk,"
    "  c.called_at, q.code, q.name, q.name_en, q.kind AS queue_kind, t.number, t.status"
    "  FROM (SELECT * FROM queue_calls WHERE store_id = :store_id AND business_on = :day"
    "   ORDER BY seq DESC LIMIT 60) c"
    "  JOIN tickets t ON t.id = c.ticket_id JOIN queues q ON q.id = c.queue_id"
    "  WHERE t.status IN ('called', 'seated', 'skipped')"
    "  ORDER BY c.ticket_id, c.seq DESC) AS last"
    " ORDER BY seq DESC LIMIT :most"
)


class HallCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as the hall is told: nothing of who it is."""

    seq: int
    ticket_id: UUID
    is_recall: bool
    desk: str
    called_at: datetime
    queue_code: str
    queue_name: str
    queue_name_en: str
    queue_kind: str
    number: int


async def list_hall_calls(
    tx: Tx, store_id: UUID, *, business_on: date, most: int
) -> Sequence[HallCall]:
    """Return the tickets that were called last, each once, the latest call first."""
    rows = await tx.execute(_CALLS, {"store_id": store_id, "day": business_on, "most": most})
    return [
        HallCall(
            seq=row.seq,
            ticket_id=row.ticket_id,
            is_recall=row.kind == "recall",
            desk=row.desk,
            called_at=row.called_at,
            queue_code=row.code,
            queue_name=row.name,
            queue_name_en=row.name_en,
            queue_kind=row.queue_kind,
            number=row.number,
        )
        for row in rows
    ]

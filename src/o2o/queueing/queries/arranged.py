"""Reads of a store's queues as they are set up, with who is in them."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day

_QUEUES = text(
    "SELECT q.*, (SELECT count(*) FROM tickets t WHERE t.queue_id = q.id"
    "  AND t.business_on = :day AND t.status IN ('waiting', 'called')) AS parties"
    " FROM queues q WHERE q.store_id = :store_id AND q.retired_at IS NULL"
    " ORDER BY q.rank, q.code"
)


class ArrangedQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue in its set-up; `parties` are those waiting or called today."""

    queue_id: UUID
    kind: str
    code: str
    name: str
    name_en: str
    party_size_min: int
    party_size_max: int
    status: str
    servers: int
    minutes_per_party: int
    rank: int
    parties: int


async def list_arranged_queues(tx: Tx, store: Store, *, now: datetime) -> list[ArrangedQueue]:
    """Return the queues in use in the store's order."""
    day = business_day(now, hours=store.hours, timezone=store.timezone)
    rows = await tx.execute(_QUEUES, {"store_id": store.id, "day": day})
    return [
        ArrangedQueue(
            queue_id=row.id,
            kind=row.kind,
            code=row.code,
            name=row.name,
            name_en=row.name_en,
            party_size_min=row.party_size_min,
            party_size_max=row.party_size_max,
            status=row.status,
            servers=row.servers,
            minutes_per_party=row.minutes_per_party,
            rank=row.rank,
            parties=row.parties,
        )
        for row in rows
    ]

"""Reads of how a business day went so far: per queue, and per store for the console's list."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx

# One row per queue that is in use or was used on the day. Waits are those from the number to
# the first call; a median, since one forgotten ticket would spoil a mean.
_FIGURES = text(
    "SELECT q.id, q.store_id, q.code, q.name, q.name_en, q.status, q.retired_at,"
    "  count(t.id) AS taken,"
    "  count(*) FILTER (WHERE t.status = 'waiting') AS waiting,"
    "  count(*) FILTER (WHERE t.status = 'called') AS called,"
    "  count(*) FILTER (WHERE t.status = 'seated') AS seated,"
    "  count(*) FILTER (WHERE t.status = 'cancelled') AS cancelled,"
    "  count(*) FILTER (WHERE t.status IN ('skipped', 'expired')) AS missed,"
    "  min(t.taken_at) FILTER (WHERE t.status = 'waiting') AS waiting_since,"
    "  percentile_disc(0.5) WITHIN GROUP (ORDER BY"
    "    extract(epoch FROM t.called_at - t.taken_at)) FILTER (WHERE t.called_at IS NOT NULL)"
    "    AS wait_seconds"
    " FROM unnest(CAST(:store_ids AS uuid[]), CAST(:days AS date[])) AS s(id, day)"
    " JOIN queues q ON q.store_id = s.id"
    " LEFT JOIN tickets t ON t.store_id = s.id AND t.business_on = s.day AND t.queue_id = q.id"
    " GROUP BY q.id HAVING q.retired_at IS NULL OR count(t.id) > 0"
    " ORDER BY q.store_id, q.rank, q.code"
)


class QueueFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's day in parties; `wait_seconds` is the median of those who were called."""

    queue_id: UUID
    store_id: UUID
    code: str
    name: str
    name_en: str
    status: str
    is_retired: bool
    taken: int
    waiting: int
    called: int
    seated: int
    cancelled: int
    missed: int
    waiting_since: datetime | None
    wait_seconds: int | None


async def list_queue_figures(tx: Tx, days: Sequence[tuple[UUID, date]]) -> list[QueueFigures]:
    """Return the figures of the stores' queues, each store on its own business day."""
    rows = await tx.execute(
        _FIGURES,
        {"store_ids": [store for store, _ in days], "days": [day for _, day in days]},
    )
    return [
        QueueFigures(
            queue_id=row.id,
            store_id=row.store_id,
            code=row.code,
            name=row.name,
            name_en=row.name_en,
            status=row.status,
            is_retired=row.retired_at is not None,
            taken=row.taken,
            waiting=row.waiting,
            called=row.called,
            seated=row.seated,
            cancelled=row.cancelled,
            missed=row.missed,
            waiting_since=row.waiting_since,
            wait_seconds=int(row.wait_seconds) if row.wait_seconds is not None else None,
        )
        for row in rows
    ]

"""Learn the waits of a queue anew from its last sixty business days."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.aside import compute_aside
from o2o.infra.database import Tx, allow_pauses
from o2o.kernel.business_day import business_day
from o2o.queueing.queries.past_waits import list_past_days
from o2o.queueing.rules.wait_learning import learn

DAYS = 60
# For one queue, on a machine that does other things too.
LEARNING_SECONDS_MAX = 120

_DUE = text(
    "SELECT q.id, q.servers, s.hours, s.timezone FROM queues q JOIN stores s ON s.id = q.store_id"
    " LEFT JOIN wait_models m ON m.queue_id = q.id"
    " WHERE m.learnt_at IS NULL OR m.learnt_at < :before"
    " ORDER BY m.learnt_at NULLS FIRST, q.id LIMIT :limit"
)
_KEEP = text(
    "INSERT INTO wait_models (queue_id, learnt_at, business_on, days, waits, learnt)"
    " VALUES (:queue_id, :now, :business_on, :days, :waits, CAST(:learnt AS jsonb))"
    " ON CONFLICT (queue_id) DO UPDATE SET learnt_at = excluded.learnt_at,"
    " business_on = excluded.business_on, days = excluded.days, waits = excluded.waits,"
    " learnt = excluded.learnt"
)


async def learn_waits(
    tx: Tx, *, now: datetime, limit: int, every: timedelta = timedelta(days=1)
) -> Sequence[UUID]:
    """Learn the queues whose models are older than `every`, the oldest first; return which.

    The day that is still lived is left out: who waits now has not waited to the end.
    """
    # It holds nothing that anybody else waits for.
    await allow_pauses(tx, seconds=LEARNING_SECONDS_MAX)
    rows = (await tx.execute(_DUE, {"before": now - every, "limit": limit})).all()
    for row in rows:
        until = business_day(now, hours=row.hours, timezone=row.timezone) - timedelta(days=1)
        since = until - timedelta(days=DAYS - 1)
        days = await list_past_days(tx, row.id, since=since, until=until, timezone=row.timezone)
        learnt = await compute_aside(learn, days, servers=row.servers)
        await tx.execute(
            _KEEP,
            {
                "queue_id": row.id,
                "now": now,
                "business_on": until,
                "days": len(days),
                "waits": learnt.waits if learnt else 0,
                "learnt": msgspec.json.encode(learnt).decode() if learnt else None,
            },
        )
    return [row.id for row in rows]

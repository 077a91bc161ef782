"""Keep what was learnt of a queue's waits; pass over a queue that cannot be learnt now."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.rules.wait_learning import Learnt

# Two who learnt the same queue at once: what was read later stays.
_KEEP = text(
    "INSERT INTO wait_models (queue_id, learnt_at, business_on, days, waits, learnt)"
    " VALUES (:queue_id, :now, :business_on, :days, :waits, CAST(:learnt AS jsonb))"
    " ON CONFLICT (queue_id) DO UPDATE SET learnt_at = excluded.learnt_at,"
    " business_on = excluded.business_on, days = excluded.days, waits = excluded.waits,"
    " learnt = excluded.learnt WHERE wait_models.learnt_at <= excluded.learnt_at"
)
_PASS_OVER = text(
    "INSERT INTO wait_models (queue_id, learnt_at, business_on, days, waits)"
    " VALUES (:queue_id, :now, :business_on, 0, 0)"
    " ON CONFLICT (queue_id) DO UPDATE SET learnt_at = excluded.learnt_at"
)


async def keep_learnt(
    tx: Tx, queue_id: UUID, learnt: Learnt | None, *, days: int, until: date, now: datetime
) -> None:
    """Keep what so many days up to `until` taught; None: they taught nothing yet."""
    await tx.execute(
        _KEEP,
        {
            "queue_id": queue_id,
            "now": now,
            "business_on": until,
            "days": days,
            "waits": learnt.waits if learnt else 0,
            "learnt": msgspec.json.encode(learnt).decode() if learnt else None,
        },
    )


async def pass_over(tx: Tx, queue_id: UUID, *, until: date, now: datetime) -> None:
    """Let a queue wait for its next turn with what it knew, so that the others have theirs."""
    await tx.execute(_PASS_OVER, {"queue_id": queue_id, "now": now, "business_on": until})

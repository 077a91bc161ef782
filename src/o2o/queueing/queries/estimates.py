"""Reads of what is known about the waits of queues."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.rules.wait_estimate import ColdModel, WaitModel

_QUEUES = text(
    "SELECT id, minutes_per_party, servers FROM queues WHERE id = ANY(CAST(:queue_ids AS uuid[]))"
)


async def estimate_waits(
    tx: Tx,
    queue_ids: Sequence[UUID],
    *,
    now: datetime,  # noqa: ARG001 - what was learnt depends on the hour
) -> dict[UUID, WaitModel]:
    """Return the model of each queue that exists, as things stand at `now`."""
    rows = (await tx.execute(_QUEUES, {"queue_ids": list(queue_ids)})).all()
    return {
        row.id: ColdModel(minutes_per_party=row.minutes_per_party, servers=row.servers)
        for row in rows
    }

"""Reads of a store's desks and the queues that each serves."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx

_DESKS = text(
    "SELECT d.id, d.code, d.name,"
    "  array(SELECT dq.queue_id FROM desk_queues dq JOIN queues q ON q.id = dq.queue_id"
    "   WHERE dq.desk_id = d.id AND q.retired_at IS NULL ORDER BY q.rank, q.code) AS queue_ids"
    " FROM desks d WHERE d.store_id = :store_id"
    # "2" before "10", and numbers before words.
    " ORDER BY length(substring(d.code from '^[0-9]+')) NULLS LAST, d.code LIMIT 100"
)


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """A desk; one that names no queues serves all of them."""

    desk_id: UUID
    code: str
    name: str
    queue_ids: Sequence[UUID]


async def list_desks(tx: Tx, store_id: UUID) -> list[DeskView]:
    """Return the desks of a store in the order people count them."""
    rows = (await tx.execute(_DESKS, {"store_id": store_id})).all()
    return [
        DeskView(desk_id=row.id, code=row.code, name=row.name, queue_ids=list(row.queue_ids))
        for row in rows
    ]

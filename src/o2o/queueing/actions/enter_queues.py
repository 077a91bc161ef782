"""Enter the queues that stores begin with: by whoever sets the deployment up, all at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert

from o2o.crm.queueing import Desk, DeskQueue, Queue, QueueSettings
from o2o.crm.statuses import QueueKind, QueueStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.queueing.rules.arrangement import DeskDraft, QueueDraft, check_desk, check_queue


class NewDesk(msgspec.Struct, frozen=True, kw_only=True):
    """A desk and the letters it serves; none is all of them."""

    draft: DeskDraft
    letters: Sequence[str] = ()


class NewQueues(msgspec.Struct, frozen=True, kw_only=True):
    """How one store queues; every queue is open from the start."""

    store_id: UUID
    kind: QueueKind
    queues: Sequence[QueueDraft]
    desks: Sequence[NewDesk]
    # Columns of `queue_settings` that differ from their defaults.
    settings: dict[str, Any]


async def enter_queues(
    tx: Tx, stores: Sequence[NewQueues], *, now: datetime
) -> dict[tuple[UUID, str], UUID]:
    """Create queues, desks and settings of stores that have none; return ids by store and letter.

    Raises QueueWrong, DeskWrong.
    """
    ids: dict[tuple[UUID, str], UUID] = {}
    queues: list[dict[str, Any]] = []
    desks: list[dict[str, Any]] = []
    served: list[dict[str, Any]] = []
    for store in stores:
        for draft in store.queues:
            check_queue(draft)
            ids[store.store_id, draft.code] = new_id()
            queues.append(
                {
                    **msgspec.structs.asdict(draft),
                    "id": ids[store.store_id, draft.code],
                    "store_id": store.store_id,
                    "kind": store.kind,
                    "status": QueueStatus.OPEN,
                    "changed_at": now,
                    "created_at": now,
                }
            )
        for desk in store.desks:
            check_desk(desk.draft)
            desk_id = new_id()
            desks.append(
                {
                    **msgspec.structs.asdict(desk.draft),
                    "id": desk_id,
                    "store_id": store.store_id,
                    "created_at": now,
                }
            )
            served += [
                {"desk_id": desk_id, "queue_id": ids[store.store_id, letter]}
                for letter in desk.letters
            ]
    for store in stores:
        # One by one: each store says something else and leaves the rest to the defaults.
        await tx.execute(
            insert(QueueSettings).values(store_id=store.store_id, changed_at=now, **store.settings)
        )
    for table, rows in ((Queue, queues), (Desk, desks), (DeskQueue, served)):
        if rows:
            await tx.execute(insert(table), rows)
    return ids

"""Arrange a store's desks: add one, change it, remove it, say which queues it serves."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.queueing import Desk, DeskQueue, Queue
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.queueing.errors import QueueNotFound
from o2o.queueing.errors_arrange import DeskCodeTaken, DeskNotFound, DeskWrong
from o2o.queueing.rules.arrangement import DESKS_MAX, DeskDraft, check_desk


async def add_desk(
    tx: Tx,
    draft: DeskDraft,
    *,
    queue_ids: Collection[UUID],
    store_id: UUID,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Add a desk and return its id. Raises DeskWrong, DeskCodeTaken, QueueNotFound."""
    check_desk(draft)
    await _check_queues(tx, queue_ids, store_id=store_id)
    count = select(func.count()).select_from(Desk).where(Desk.store_id == store_id)
    if (await tx.execute(count)).scalar_one() >= DESKS_MAX:
        raise DeskWrong(field="code")
    added = await tx.scalar(
        insert(Desk)
        .values(id=new_id(), store_id=store_id, created_at=now, code=draft.code, name=draft.name)
        .on_conflict_do_nothing(index_elements=[Desk.store_id, Desk.code])
        .returning(Desk.id)
    )
    if added is None:
        raise DeskCodeTaken(desk=draft.code)
    desk_id = UUID(str(added))
    await _serve(tx, desk_id, queue_ids)
    await _note(
        tx,
        "desk.added",
        desk_id,
        store_id=store_id,
        actor=actor,
        now=now,
        after=_detail(draft, queue_ids),
    )
    return desk_id


async def change_desk(
    tx: Tx,
    desk_id: UUID,
    draft: DeskDraft,
    *,
    queue_ids: Collection[UUID],
    store_id: UUID,
    actor: Actor,
    now: datetime,
) -> None:
    """Change a desk; calls that were made keep what was said.

    Raises DeskNotFound, DeskWrong, DeskCodeTaken, QueueNotFound.
    """
    check_desk(draft)
    await _check_queues(tx, queue_ids, store_id=store_id)
    desk = await _lock_desk(tx, desk_id, store_id=store_id)
    taken = select(Desk.id).where(
        Desk.store_id == store_id, Desk.code == draft.code, Desk.id != desk_id
    )
    if await tx.scalar(taken):
        raise DeskCodeTaken(desk=draft.code)
    before = {"code": desk.code, "name": desk.name}
    await tx.execute(
        update(Desk).where(Desk.id == desk_id).values(code=draft.code, name=draft.name)
    )
    await _serve(tx, desk_id, queue_ids)
    await _note(
        tx,
        "desk.changed",
        desk_id,
        store_id=store_id,
        actor=actor,
        now=now,
        before=before,
        after=_detail(draft, queue_ids),
    )


async def remove_desk(
    tx: Tx, desk_id: UUID, *, store_id: UUID, actor: Actor, now: datetime
) -> None:
    """Remove a desk; calls that were made keep its name. Raises DeskNotFound."""
    desk = await _lock_desk(tx, desk_id, store_id=store_id)
    before = {"code": desk.code, "name": desk.name}
    await tx.execute(delete(DeskQueue).where(DeskQueue.desk_id == desk_id))
    await tx.execute(delete(Desk).where(Desk.id == desk_id))
    await _note(tx, "desk.removed", desk_id, store_id=store_id, actor=actor, now=now, before=before)


async def _lock_desk(tx: Tx, desk_id: UUID, *, store_id: UUID) -> Desk:
    desk: Desk | None = await tx.scalar(
        select(Desk).where(Desk.id == desk_id, Desk.store_id == store_id).with_for_update()
    )
    if desk is None:
        raise DeskNotFound
    return desk


async def _check_queues(tx: Tx, queue_ids: Collection[UUID], *, store_id: UUID) -> None:
    """Raise QueueNotFound for a queue that is not the store's."""
    own = await tx.scalars(
        select(Queue.id).where(
            Queue.id.in_(queue_ids), Queue.store_id == store_id, Queue.retired_at.is_(None)
        )
    )
    if strangers := set(queue_ids) - set(own.all()):
        raise QueueNotFound(queue_id=min(strangers))


async def _serve(tx: Tx, desk_id: UUID, queue_ids: Collection[UUID]) -> None:
    """Let a desk serve exactly these queues."""
    await tx.execute(delete(DeskQueue).where(DeskQueue.desk_id == desk_id))
    if queue_ids:
        rows = [{"desk_id": desk_id, "queue_id": queue_id} for queue_id in sorted(set(queue_ids))]
        await tx.execute(insert(DeskQueue).values(rows))


def _detail(draft: DeskDraft, queue_ids: Collection[UUID]) -> dict[str, object]:
    return {**msgspec.structs.asdict(draft), "queue_ids": [str(q) for q in sorted(queue_ids)]}


async def _note(
    tx: Tx,
    action: str,
    desk_id: UUID,
    *,
    store_id: UUID,
    actor: Actor,
    now: datetime,
    **detail: object,
) -> None:
    await note(
        tx,
        actor=actor,
        action=action,
        at=now,
        subject=("desk", desk_id),
        store_id=store_id,
        **detail,
    )

"""Arrange a store's queues: add one, change it, do without it. Tickets are never touched."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.bookings import Booking
from o2o.crm.organisation import Store
from o2o.crm.queueing import DeskQueue, Queue, Ticket
from o2o.crm.statuses import QueueKind, QueueStatus, TicketStatus
from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.kernel.ids import new_id
from o2o.queueing.errors import QueueNotFound
from o2o.queueing.errors_arrange import QueueCodeTaken, QueueStillInUse, TooManyQueues
from o2o.queueing.queries.days import list_queue_facts, lock_days
from o2o.queueing.rules.arrangement import QUEUES_MAX, QueueDraft, check_queue

_HOLD_PLAN = text("SELECT 1 FROM booking_settings WHERE store_id = :store_id FOR UPDATE")
_IN_IT = (TicketStatus.WAITING, TicketStatus.CALLED)


async def add_queue(
    tx: Tx, draft: QueueDraft, *, store_id: UUID, kind: QueueKind, actor: Actor, now: datetime
) -> UUID:
    """Add a queue to a store, closed until somebody opens it; return its id.

    A letter that was retired is that queue again. Raises QueueWrong, QueueCodeTaken,
    TooManyQueues.
    """
    check_queue(draft)
    await _lock_store(tx, store_id)
    in_use = select(func.count()).where(Queue.store_id == store_id, Queue.retired_at.is_(None))
    if (await tx.execute(in_use)).scalar_one() >= QUEUES_MAX:
        raise TooManyQueues(most=QUEUES_MAX)
    values = msgspec.structs.asdict(draft)
    added = await tx.scalar(
        insert(Queue)
        .values(
            **values,
            id=new_id(),
            store_id=store_id,
            kind=kind,
            status=QueueStatus.CLOSED,
            changed_at=now,
            created_at=now,
        )
        .on_conflict_do_update(
            index_elements=[Queue.store_id, Queue.code],
            set_={**values, "kind": kind, "retired_at": None, "changed_at": now},
            where=Queue.retired_at.is_not(None),
        )
        .returning(Queue.id)
    )
    if added is None:
        raise QueueCodeTaken(letter=draft.code)
    await _note(tx, "queue.added", added, store_id=store_id, actor=actor, now=now, after=values)
    return UUID(str(added))


async def change_queue(
    tx: Tx, queue_id: UUID, draft: QueueDraft, *, store_id: UUID, actor: Actor, now: datetime
) -> None:
    """Change everything of a queue but its letter, which stands on people's tickets.

    Raises QueueNotFound, QueueWrong.
    """
    before = await _lock_queue(tx, queue_id, store_id=store_id)
    draft = msgspec.structs.replace(draft, code=before.code)
    check_queue(draft)
    values = msgspec.structs.asdict(draft)
    old = {name: getattr(before, name) for name in values}
    if old == values:
        return
    await tx.execute(update(Queue).where(Queue.id == queue_id).values(**values, changed_at=now))
    await _note(
        tx,
        "queue.changed",
        queue_id,
        store_id=store_id,
        actor=actor,
        now=now,
        before=old,
        after=values,
    )


async def retire_queue(
    tx: Tx, queue_id: UUID, *, store_id: UUID, actor: Actor, now: datetime
) -> None:
    """Do without a queue that is closed and empty, and which nobody has booked.

    Raises QueueNotFound, QueueStillInUse.
    """
    # As everybody who edits the plan: whoever books at this moment has done so, or finds no slot.
    await tx.execute(_HOLD_PLAN, {"store_id": store_id})
    # And under the lock of the day: whoever comes back into the line has, or finds it closed.
    facts = await list_queue_facts(tx, queue_ids=[queue_id])
    await lock_days(
        tx, [(key, one.business_on(now)) for key, one in facts.items()], facts, begins=True
    )
    before = await _lock_queue(tx, queue_id, store_id=store_id)
    store = (await tx.execute(select(Store).where(Store.id == store_id))).scalar_one()
    waiting = select(func.count()).where(
        Ticket.queue_id == queue_id,
        Ticket.business_on == business_day(now, hours=store.hours, timezone=store.timezone),
        Ticket.status.in_(_IN_IT),
    )
    parties = (await tx.execute(waiting)).scalar_one()
    to_come = select(func.count()).where(
        Booking.queue_id == queue_id, Booking.status == BookingStatus.BOOKED
    )
    bookings = (await tx.execute(to_come)).scalar_one()
    if before.status is not QueueStatus.CLOSED or parties or bookings:
        raise QueueStillInUse(waiting=parties, bookings=bookings)
    await tx.execute(
        update(Queue).where(Queue.id == queue_id).values(retired_at=now, changed_at=now)
    )
    await tx.execute(delete(DeskQueue).where(DeskQueue.queue_id == queue_id))
    await _note(tx, "queue.retired", queue_id, store_id=store_id, actor=actor, now=now)


async def _lock_store(tx: Tx, store_id: UUID) -> None:
    # Two who add a queue at once count one after the other.
    await tx.execute(select(Store.id).where(Store.id == store_id).with_for_update())


async def _lock_queue(tx: Tx, queue_id: UUID, *, store_id: UUID) -> Queue:
    queue: Queue | None = await tx.scalar(
        select(Queue)
        .where(Queue.id == queue_id, Queue.store_id == store_id, Queue.retired_at.is_(None))
        .with_for_update()
    )
    if queue is None:
        raise QueueNotFound(queue_id=queue_id)
    return queue


async def _note(
    tx: Tx,
    action: str,
    queue_id: UUID,
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
        subject=("queue", queue_id),
        store_id=store_id,
        **detail,
    )

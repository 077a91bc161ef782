"""Run a store's queues: open, pause and close them, and say how the store queues."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.queueing import QueueSettings
from o2o.crm.statuses import QueueStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.queueing.actions.expire_tickets import cancel_waiting
from o2o.queueing.actions.keep_days import keep_days, tell_of_days
from o2o.queueing.days import QueueFacts
from o2o.queueing.errors import QueueNotFound, QueueSettingsInvalid
from o2o.queueing.errors_arrange import ReachBeyondDistance
from o2o.queueing.moves import QUEUE_MOVES
from o2o.queueing.queries.days import get_queue_status, list_queue_facts, lock_days
from o2o.queueing.queries.queues import get_settings
from o2o.queueing.rules.taking import REACH_M_USUAL

QUEUE_CLOSED = "queue_closed"
APOLOGY_CHARS_MAX = 200

_RUN = text(
    "UPDATE queues SET status = :to, changed_at = :now"
    " WHERE id = :queue_id AND status = ANY(CAST(:sources AS text[]))"
)


class QueueSettingsDraft(msgspec.Struct, frozen=True, kw_only=True):
    """How a store is to queue; what each means stands with the columns."""

    distance_m_max: int | None = None
    reach_m: int = REACH_M_USUAL
    notice_parties: int = 3
    notice_minutes: int = 10
    return_behind: int = 3
    returns_max: int = 1
    ordinary_between: int = 2
    has_member_priority: bool = False
    serves_waiting_after_close: bool = True
    apology: dict[str, Any] | None = None


# As the CHECKs of the table say; None stands for no limit.
SETTING_RANGES = {
    "distance_m_max": (50, 100_000),
    "reach_m": (50, 2_000),
    "notice_parties": (1, 20),
    "notice_minutes": (1, 120),
    "return_behind": (0, 20),
    "returns_max": (0, 5),
    "ordinary_between": (1, 20),
}


async def open_queue(
    tx: Tx,
    queue_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    brand_id: UUID | None = None,
    store_id: UUID | None = None,
) -> None:
    """Give numbers (again). Raises QueueNotFound. Publishes queue.changed."""
    queue = await _get(tx, queue_id, brand_id=brand_id, store_id=store_id)
    await _run(tx, queue, QueueStatus.OPEN, actor=actor, now=now)


async def pause_queue(
    tx: Tx,
    queue_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    brand_id: UUID | None = None,
    store_id: UUID | None = None,
) -> None:
    """Give no numbers for now; who waits is called. Raises QueueNotFound, MoveNotAllowed."""
    queue = await _get(tx, queue_id, brand_id=brand_id, store_id=store_id)
    await _run(tx, queue, QueueStatus.PAUSED, actor=actor, now=now)


async def close_queue(
    tx: Tx,
    queue_id: UUID,
    *,
    actor: Actor,
    now: datetime,
    brand_id: UUID | None = None,
    store_id: UUID | None = None,
) -> int:
    """Give no numbers any more; return how many parties were sent home.

    By the store's setting who waits is served still, or is cancelled and told. Raises
    QueueNotFound. Publishes queue.changed and, for each who is sent home, ticket.ended.
    """
    queue = await _get(tx, queue_id, brand_id=brand_id, store_id=store_id)
    await _run(tx, queue, QueueStatus.CLOSED, actor=actor, now=now)
    if queue.serves_waiting_after_close:
        return 0
    key = (queue.queue_id, queue.business_on(now))
    return await cancel_waiting(tx, [key], now=now, reason=QUEUE_CLOSED, staff_id=_staff(actor))


async def edit_settings(
    tx: Tx, store_id: UUID, draft: QueueSettingsDraft, *, actor: Actor, now: datetime
) -> None:
    """Change how a store queues. Raises QueueSettingsInvalid, ReachBeyondDistance."""
    values = msgspec.structs.asdict(draft)
    for name, (least, most) in SETTING_RANGES.items():
        value = values[name]
        if value is None and name == "distance_m_max":
            continue
        if not least <= value <= most:
            raise QueueSettingsInvalid(field=name)
    if draft.distance_m_max is not None and draft.reach_m > draft.distance_m_max:
        # Who is "here" would be told that he is too far away.
        raise ReachBeyondDistance(distance_m_max=draft.distance_m_max)
    _check_apology(draft.apology)
    before = await get_settings(tx, store_id)
    was = {name: getattr(before, name) for name in values}
    if was == values and before.changed_at is not None:
        return
    statement = insert(QueueSettings).values(store_id=store_id, changed_at=now, **values)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[QueueSettings.store_id], set_={**values, "changed_at": now}
        )
    )
    await note(
        tx,
        actor=actor,
        action="queue_settings.changed",
        at=now,
        subject=("store", store_id),
        store_id=store_id,
        before=was,
        after=values,
    )


def _check_apology(apology: dict[str, Any] | None) -> None:
    if apology is None:
        return
    words = apology.get("text", "")
    if set(apology) - {"template", "text"} or not isinstance(words, str):
        raise QueueSettingsInvalid(field="apology")
    if len(words) > APOLOGY_CHARS_MAX:
        raise QueueSettingsInvalid(field="apology")


async def _get(
    tx: Tx, queue_id: UUID, *, brand_id: UUID | None, store_id: UUID | None
) -> QueueFacts:
    queue = (await list_queue_facts(tx, queue_ids=[queue_id])).get(queue_id)
    is_own = queue is not None and (
        queue.is_in_use
        and brand_id in {None, queue.brand_id}
        and store_id in {None, queue.store_id}
    )
    if queue is None or not is_own:
        raise QueueNotFound(queue_id=queue_id)
    return queue


async def _run(tx: Tx, queue: QueueFacts, to: QueueStatus, *, actor: Actor, now: datetime) -> None:
    # Under the lock of the day: whoever takes a number at this moment gets it before, or is
    # refused after.
    key = (queue.queue_id, queue.business_on(now))
    days = await lock_days(tx, [key], {queue.queue_id: queue}, begins=True)
    was = await get_queue_status(tx, queue.queue_id)
    if was is to:
        return
    QUEUE_MOVES.check(was, to)
    sources = [status.value for status in QUEUE_MOVES.sources_of(to)]
    await tx.execute(
        _RUN, {"queue_id": queue.queue_id, "to": to.value, "now": now, "sources": sources}
    )
    days[key].is_changed = True
    await keep_days(tx, days.values())
    await tell_of_days(tx, days.values(), [], now=now)
    await note(
        tx,
        actor=actor,
        action=f"queue.{_PAST[to]}",
        at=now,
        subject=("queue", queue.queue_id),
        store_id=queue.store_id,
    )


_PAST = {
    QueueStatus.OPEN: "opened",
    QueueStatus.PAUSED: "paused",
    QueueStatus.CLOSED: "closed",
}


def _staff(actor: Actor) -> UUID | None:
    return actor.id if actor.kind == "staff" else None

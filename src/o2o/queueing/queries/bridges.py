"""Reads of bridges: keys, what was last heard, the numbers that a machine is to take in."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.bridge import Bridge
from o2o.infra.database import Tx
from o2o.queueing.bridge_news import TICKETS_MAX, WaitingNumber
from o2o.queueing.commands import ticket_code

# A machine that said nothing for so long is away.
SILENT_AFTER = timedelta(seconds=90)
# What ended longer ago has been told often enough.
ENDED_WITHIN = timedelta(minutes=30)


def at_machine_on(day: str) -> str:
    """Return the SQL of who waits at the machine of the queue `q`, by its count on a day.

    NULL where none calls, and where it was not heard on that day or since: one that a hall gave
    up does not hold the line for ever.
    """
    return (
        "(SELECT l.waiting FROM bridge_lines l JOIN bridges b ON b.store_id = l.store_id"  # noqa: S608 - our own text
        " JOIN stores x ON x.id = l.store_id WHERE l.queue_id = q.id"
        f" AND CAST(b.heard_at AT TIME ZONE x.timezone AS date) >= {day})"
    )


# Numbers of ours that the machine of the line `l` does not know yet.
NOT_TAKEN_IN = (
    "(SELECT count(*) FROM tickets t WHERE t.queue_id = l.queue_id"
    " AND t.status = 'waiting' AND t.ahead_at_machine IS NULL"
    " AND t.business_on = (SELECT max(d.business_on) FROM queue_days d"
    " WHERE d.queue_id = l.queue_id))"
)
_NEWS = text(
    "SELECT b.store_id, b.heard_at, l.queue_id, l.waiting, l.called_number, l.called_desk,"  # noqa: S608 - our own text
    f" l.called_at, {NOT_TAKEN_IN} AS not_taken_in"
    " FROM bridges b JOIN bridge_lines l ON l.store_id = b.store_id"
    " WHERE b.store_id = ANY(CAST(:store_ids AS uuid[]))"
)
_WAITING = text(
    "SELECT t.id, q.code, t.number, t.party_size, t.priority, t.taken_at FROM tickets t"
    " JOIN queues q ON q.id = t.queue_id"
    " WHERE t.store_id = :store_id AND t.status = 'waiting' AND t.taken_at > :since"
    " ORDER BY t.taken_at, t.id LIMIT :most"
)
_ENDED = text(
    "SELECT t.id FROM tickets t WHERE t.store_id = :store_id AND t.business_on >= :day"
    " AND t.ahead_at_machine IS NOT NULL AND t.status IN ('cancelled', 'moved', 'expired')"
    " AND t.ended_at > :since ORDER BY t.ended_at LIMIT :most"
)


class MachineNews(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine last said of one line."""

    heard_at: datetime
    # Parties at the machine, and numbers of ours that it has not taken in yet.
    waiting: int
    called_number: int | None
    called_desk: str | None
    called_at: datetime | None

    def is_silent(self, now: datetime) -> bool:
        """Whether the machine has been away for so long that its news are old."""
        return now - self.heard_at > SILENT_AFTER


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A hall's own machine, as clerks and guests are told of it."""

    heard_at: datetime
    is_silent: bool
    # Parties by queue, of the lines that it knows.
    waiting: Mapping[UUID, int]


async def find_machine(tx: Tx, store_id: UUID, *, now: datetime) -> Machine | None:
    """Return the machine that calls at a store, if one does and was ever heard."""
    news = await list_machine_news(tx, [store_id])
    if not news:
        return None
    newest = max(news.values(), key=lambda one: one.heard_at)
    return Machine(
        heard_at=newest.heard_at,
        is_silent=newest.is_silent(now),
        waiting={queue_id: one.waiting for queue_id, one in news.items()},
    )


async def find_bridge(tx: Tx, store_id: UUID) -> Bridge | None:
    """Return a store's bridge, its key sealed."""
    bridge: Bridge | None = await tx.scalar(select(Bridge).where(Bridge.store_id == store_id))
    return bridge


async def list_machine_news(tx: Tx, store_ids: Collection[UUID]) -> dict[UUID, MachineNews]:
    """Return, by queue, what the machines of these stores last said."""
    rows = await tx.execute(_NEWS, {"store_ids": list(store_ids)})
    return {
        row.queue_id: MachineNews(
            heard_at=row.heard_at,
            waiting=row.waiting + row.not_taken_in,
            called_number=row.called_number,
            called_desk=row.called_desk,
            called_at=row.called_at,
        )
        for row in rows
    }


async def list_waiting_numbers(tx: Tx, store_id: UUID, *, now: datetime) -> Sequence[WaitingNumber]:
    """Return the numbers of a store that wait, the oldest first, at most 500."""
    values = {"store_id": store_id, "since": now - timedelta(days=1), "most": TICKETS_MAX}
    return [
        WaitingNumber(
            ticket_id=row.id,
            line=row.code,
            code=ticket_code(row.code, row.number),
            party_size=row.party_size,
            priority=row.priority,
            taken_at=row.taken_at,
        )
        for row in await tx.execute(_WAITING, values)
    ]


async def list_ended_numbers(tx: Tx, store_id: UUID, *, now: datetime) -> Sequence[UUID]:
    """Return the numbers that a machine has taken in and that ended here within half an hour."""
    values = {
        "store_id": store_id,
        "day": (now - timedelta(days=2)).date(),
        "since": now - ENDED_WITHIN,
        "most": TICKETS_MAX,
    }
    return (await tx.execute(_ENDED, values)).scalars().all()

"""Set-based reads for takes, calls and moves: queues with their settings, and days under lock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueKind, QueueStatus, TicketPriority
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows, write_rows
from o2o.kernel.geo import Point
from o2o.queueing.days import Day, DayKey, QueueFacts
from o2o.queueing.rules.call_order import Turn

# Settings of a store that never changed any.
_FACTS = text(
    "SELECT q.id, q.store_id, s.brand_id, q.kind, q.code, q.name, q.name_en, q.party_size_min,"
    " q.party_size_max, q.status, q.rank, q.retired_at IS NULL AS is_in_use,"
    " s.name AS store_name, s.latitude, s.longitude, s.timezone, s.hours::text AS hours,"
    " s.hours_exceptions::text AS hours_exceptions, c.distance_m_max,"
    " coalesce(c.return_behind, 3) AS return_behind, coalesce(c.returns_max, 1) AS returns_max,"
    " coalesce(c.ordinary_between, 2) AS ordinary_between,"
    " coalesce(c.has_member_priority, false) AS has_member_priority,"
    " coalesce(c.serves_waiting_after_close, true) AS serves_waiting_after_close,"
    " (SELECT max(d.business_on) FROM queue_days d WHERE d.queue_id = q.id) AS last_business_on"
    " FROM queues q JOIN stores s ON s.id = q.store_id"
    " LEFT JOIN queue_settings c ON c.store_id = q.store_id"
    " WHERE q.id = ANY(CAST(:queue_ids AS uuid[])) OR q.store_id = ANY("
    "CAST(:store_ids AS uuid[]) || ARRAY(SELECT k.store_id FROM queues k"
    " WHERE k.id = ANY(CAST(:sibling_ids AS uuid[]))))"
    " ORDER BY q.store_id, q.rank, q.code"
)
_KINDS = {kind.value: kind for kind in QueueKind}
_STATUSES = {status.value: status for status in QueueStatus}
_BEGIN = text(
    "INSERT INTO queue_days (queue_id, business_on)"
    " SELECT queue_id, business_on"
    " FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS s(queue_id, business_on)"
    " ORDER BY queue_id, business_on ON CONFLICT DO NOTHING"
)
_STATUS = text("SELECT status FROM queues WHERE id = :queue_id")
# In the order of ids, which is one order for everybody.
_LOCK = text(
    "SELECT d.queue_id, d.business_on, d.last_number, d.ordinary_since_priority,"
    " d.booked_in_a_row, d.waiting_ordinary, d.waiting_member, d.waiting_booked, d.version"
    " FROM queue_days d"
    " JOIN unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS s(queue_id, business_on)"
    " ON d.queue_id = s.queue_id AND d.business_on = s.business_on"
    " ORDER BY d.queue_id, d.business_on FOR UPDATE OF d"
)


async def list_queue_facts(
    tx: Tx,
    *,
    queue_ids: Iterable[UUID] = (),
    store_ids: Iterable[UUID] = (),
    sibling_ids: Iterable[UUID] = (),
) -> dict[UUID, QueueFacts]:
    """Return these queues, all of these stores, and all of the stores of `sibling_ids`.

    By store and rank.
    """
    rows = await fetch_rows(
        tx,
        _FACTS,
        {
            "queue_ids": list(set(queue_ids)),
            "store_ids": list(set(store_ids)),
            "sibling_ids": list(set(sibling_ids)),
        },
    )
    return {row[0]: _facts(row) for row in rows}


async def get_queue_status(tx: Tx, queue_id: UUID) -> QueueStatus:
    """Return how a queue stands; it is closed and opened under the lock of its day."""
    return QueueStatus((await tx.execute(_STATUS, {"queue_id": queue_id})).scalar_one())


def _facts(row: Any) -> QueueFacts:
    # By place, not by name: every number that is taken reads this.
    (
        queue_id,
        store_id,
        brand_id,
        kind,
        letter,
        name,
        name_en,
        party_size_min,
        party_size_max,
        status,
        rank,
        is_in_use,
        store_name,
        latitude,
        longitude,
        timezone,
        hours,
        hours_exceptions,
        distance_m_max,
        return_behind,
        returns_max,
        ordinary_between,
        has_member_priority,
        serves_waiting_after_close,
        last_business_on,
    ) = row
    return QueueFacts(
        queue_id=queue_id,
        store_id=store_id,
        brand_id=brand_id,
        kind=_KINDS[kind],
        letter=letter,
        name=name,
        name_en=name_en,
        party_size_min=party_size_min,
        party_size_max=party_size_max,
        status=_STATUSES[status],
        rank=rank,
        is_in_use=is_in_use,
        store_name=store_name,
        at=Point(latitude, longitude),
        timezone=timezone,
        hours=_read_hours(hours),
        hours_exceptions=_read_hours(hours_exceptions),
        distance_m_max=distance_m_max,
        return_behind=return_behind,
        returns_max=returns_max,
        ordinary_between=ordinary_between,
        has_member_priority=has_member_priority,
        serves_waiting_after_close=serves_waiting_after_close,
        last_business_on=last_business_on,
    )


@lru_cache(maxsize=1024)
def _read_hours(told: str) -> Mapping[str, Any]:
    """Read a store's hours; the same text is read once. Nobody may change what comes back."""
    hours: dict[str, Any] = msgspec.json.decode(told)
    return MappingProxyType(hours)


async def lock_days(
    tx: Tx,
    keys: Collection[DayKey],
    facts: dict[UUID, QueueFacts],
    *,
    begins: bool,
) -> dict[DayKey, Day]:
    """Lock the rows of these days in one order; with `begins`, days without a row get one first.

    Rows are begun before any is locked: whoever waits for a row that somebody begins holds none.
    """
    wanted = sorted(keys)
    if begins:
        missing = [key for key in wanted if facts[key[0]].last_business_on != key[1]]
        if missing:
            await write_rows(tx, _BEGIN, _arrays(missing))
    if not wanted:
        return {}
    rows = await write_rows(tx, _LOCK, _arrays(wanted))
    return {(row.queue_id, row.business_on): _day(row, facts[row.queue_id]) for row in rows}


def _arrays(keys: Sequence[DayKey]) -> dict[str, Any]:
    return {"queue_ids": [queue_id for queue_id, _ in keys], "days": [day for _, day in keys]}


def _day(row: Any, queue: QueueFacts) -> Day:
    return Day(
        queue=queue,
        business_on=row.business_on,
        last_number=row.last_number,
        turn=Turn(
            ordinary_since_priority=row.ordinary_since_priority,
            booked_in_a_row=row.booked_in_a_row,
            ordinary_between=queue.ordinary_between,
        ),
        waiting={
            TicketPriority.ORDINARY: row.waiting_ordinary,
            TicketPriority.MEMBER: row.waiting_member,
            TicketPriority.BOOKED: row.waiting_booked,
        },
        version=row.version,
    )

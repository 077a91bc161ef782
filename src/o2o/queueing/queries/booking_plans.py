"""Reads of how stores are booked: settings, weekly rules, exceptions and hours, as one plan."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.errors_bookings import BookingsNotTaken
from o2o.queueing.rules.booking_plan import (
    BookableQueue,
    DayException,
    Plan,
    PlannedSlot,
    SlotKey,
    WeeklyRule,
    nearest,
)

_STORES_MAX = 500
_PLANS = text(
    "SELECT b.store_id, s.brand_id, s.name, s.address, s.timezone, s.hours, s.hours_exceptions,"
    " b.is_taking, b.live_max, b.party_size_usual, b.remind_minutes, b.early_minutes,"
    " b.grace_minutes, b.no_show_minutes"
    " FROM booking_settings b JOIN stores s ON s.id = b.store_id"
    " WHERE b.store_id = ANY(CAST(:store_ids AS uuid[])) ORDER BY b.store_id"
)
# Many bookings share it; whoever changes the plan waits for them, and they for him. Locked before
# it is read: a statement that waits for a lock still sees the hours of before it waited.
_SHARE = text(
    "SELECT 1 FROM booking_settings WHERE store_id = ANY(CAST(:store_ids AS uuid[]))"
    " ORDER BY store_id FOR SHARE"
)
_RULES = text(
    "SELECT r.id, r.store_id, r.queue_id, r.weekday, r.since_minute, r.until_minute,"
    " r.slot_minutes, r.capacity, r.party_size_min, r.party_size_max,"
    " q.kind, q.code, q.name, q.name_en, q.rank"
    " FROM booking_rules r JOIN queues q ON q.id = r.queue_id AND q.retired_at IS NULL"
    " WHERE r.store_id = ANY(CAST(:store_ids AS uuid[]))"
    " ORDER BY q.rank, q.code, r.weekday, r.since_minute, r.party_size_min"
)
_EXCEPTIONS = text(
    "SELECT id, store_id, queue_id, applies_on, capacity, reason FROM booking_exceptions"
    " WHERE store_id = ANY(CAST(:store_ids AS uuid[])) AND applies_on >= :since"
    " ORDER BY applies_on, queue_id NULLS FIRST"
)
_BOOKED = text(
    "SELECT queue_id, starts_at, party_size_min, booked FROM booking_slots"
    " WHERE store_id = :store_id AND starts_at > :now AND booked > 0"
)
_ACCOUNTS_STORES = text(
    "SELECT s.account_id, b.store_id FROM booking_settings b JOIN stores s ON s.id = b.store_id"
    " WHERE s.account_id = ANY(CAST(:account_ids AS uuid[])) AND b.is_taking"
    " AND EXISTS (SELECT 1 FROM booking_rules r JOIN queues q ON q.id = r.queue_id"
    "  AND q.retired_at IS NULL WHERE r.store_id = b.store_id)"
    " ORDER BY s.city, s.name, s.id LIMIT :most"
)


async def list_plans(
    tx: Tx, store_ids: Sequence[UUID], *, now: datetime, is_shared: bool = False
) -> dict[UUID, Plan]:
    """Return the plans of the stores that have one.

    With `is_shared` they stay as they are until the transaction ends.
    """
    params: dict[str, Any] = {"store_ids": sorted(set(store_ids))}
    if is_shared:
        await tx.execute(_SHARE, params)
    settings = (await tx.execute(_PLANS, params)).all()
    if not settings:
        return {}
    rules = (await tx.execute(_RULES, params)).all()
    # Yesterday somewhere is today elsewhere.
    since = (now - timedelta(days=2)).date()
    exceptions = (await tx.execute(_EXCEPTIONS, params | {"since": since})).all()
    return {row.store_id: _plan(row, rules, exceptions) for row in settings}


async def get_plan(tx: Tx, store_id: UUID, *, now: datetime) -> Plan:
    """Return how a store is booked. Raises BookingsNotTaken where it never was set up."""
    plan = (await list_plans(tx, [store_id], now=now)).get(store_id)
    if plan is None:
        raise BookingsNotTaken
    return plan


async def list_bookable_stores(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return each account's stores that can be booked, by city and name."""
    found: dict[UUID, list[UUID]] = {account_id: [] for account_id in account_ids}
    params = {"account_ids": sorted(found), "most": _STORES_MAX}
    for account_id, store_id in await tx.execute(_ACCOUNTS_STORES, params):
        found[account_id].append(store_id)
    return found


async def list_booked(tx: Tx, store_id: UUID, *, now: datetime) -> dict[SlotKey, int]:
    """Return how many places of the store's coming slots are taken, where any are."""
    rows = await tx.execute(_BOOKED, {"store_id": store_id, "now": now})
    return {SlotKey(row.queue_id, row.starts_at, row.party_size_min): row.booked for row in rows}


async def list_free_slots(
    tx: Tx,
    plan: Plan,
    *,
    now: datetime,
    party_size: int | None = None,
    queue_id: UUID | None = None,
) -> list[PlannedSlot]:
    """Return the slots that still have a place, earliest first; `capacity` is what is left.

    Of everybody, or for a party of that size, or of one queue.
    """
    if not plan.is_taking:
        return []
    booked = await list_booked(tx, plan.store_id, now=now)
    return [
        left
        for slot in plan.slots_from(now)
        if (party_size is None or slot.fits(party_size))
        and (queue_id is None or slot.queue_id == queue_id)
        and (left := with_places_left(slot, booked)).capacity > 0
    ]


async def list_nearest_free(
    tx: Tx,
    plan: Plan,
    asked: datetime,
    *,
    now: datetime,
    party_size: int,
    queue_id: UUID | None = None,
) -> list[datetime]:
    """Return the three free times that are nearest to the one asked for, nearest first."""
    free = await list_free_slots(tx, plan, now=now, party_size=party_size, queue_id=queue_id)
    return nearest(asked, (slot.starts_at for slot in free if slot.starts_at != asked))


def with_places_left(slot: PlannedSlot, booked: dict[SlotKey, int]) -> PlannedSlot:
    """Return the slot with what is left of it as its capacity."""
    taken = booked.get(slot.key, 0)
    return PlannedSlot(
        queue_id=slot.queue_id,
        starts_at=slot.starts_at,
        party_size_min=slot.party_size_min,
        party_size_max=slot.party_size_max,
        capacity=max(0, slot.capacity - taken),
    )


def _plan(row: Any, rules: Sequence[Any], exceptions: Sequence[Any]) -> Plan:
    own = [rule for rule in rules if rule.store_id == row.store_id]
    queues = {
        rule.queue_id: BookableQueue(
            queue_id=rule.queue_id,
            kind=rule.kind,
            code=rule.code,
            name=rule.name,
            name_en=rule.name_en,
            rank=rule.rank,
        )
        for rule in own
    }
    return Plan(
        store_id=row.store_id,
        brand_id=row.brand_id,
        store_name=row.name,
        store_address=row.address,
        timezone=row.timezone,
        is_taking=row.is_taking,
        live_max=row.live_max,
        party_size_usual=row.party_size_usual,
        remind_minutes=row.remind_minutes,
        early_minutes=row.early_minutes,
        grace_minutes=row.grace_minutes,
        no_show_minutes=row.no_show_minutes,
        hours=row.hours,
        hours_exceptions=row.hours_exceptions,
        queues=list(queues.values()),
        rules=[_rule(rule) for rule in own],
        exceptions=[
            DayException(
                exception_id=one.id,
                queue_id=one.queue_id,
                applies_on=one.applies_on,
                capacity=one.capacity,
                reason=one.reason,
            )
            for one in exceptions
            if one.store_id == row.store_id
        ],
    )


def _rule(row: Any) -> WeeklyRule:
    return WeeklyRule(
        rule_id=row.id,
        queue_id=row.queue_id,
        weekday=row.weekday,
        since_minute=row.since_minute,
        until_minute=row.until_minute,
        slot_minutes=row.slot_minutes,
        capacity=row.capacity,
        party_size_min=row.party_size_min,
        party_size_max=row.party_size_max,
    )

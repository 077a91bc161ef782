"""Carry bookings over into the slots that a changed plan has at their times.

A slot is told apart by the smallest party it is for: where a rule is for others from now on, those
who booked under the old one count in the new one, so that no place is given twice.
"""

from collections import Counter
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.actions.hold_places import free_places, lock_slots
from o2o.queueing.queries.booking_plans import get_plan
from o2o.queueing.rules.booking_plan import PlannedSlot, SlotKey

_BOOKED = text(
    "SELECT b.id, b.slot_id, b.queue_id, b.starts_at, b.party_size, p.party_size_min"
    " FROM bookings b JOIN booking_slots p ON p.id = b.slot_id"
    " WHERE b.store_id = :store_id AND b.status = 'booked' AND b.starts_at > :now"
    " ORDER BY b.id FOR UPDATE OF b"
)
_CARRY = text(
    "UPDATE bookings b SET slot_id = m.slot_id"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:slot_ids AS uuid[])) AS m(id, slot_id)"
    " WHERE b.id = m.id"
)
# Whoever booked keeps the place, also where the new slot has fewer.
_COUNT = text(
    "UPDATE booking_slots b SET booked = b.booked + m.places,"
    " capacity = greatest(b.capacity, b.booked + m.places)"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS smallint[])) AS m(id, places)"
    " WHERE b.id = m.id"
)


async def carry_slots(tx: Tx, store_id: UUID, *, now: datetime) -> int:
    """Count the coming bookings of slots that are no more in those of their time; return how many.

    The plan is held alone by whoever calls this, so that nobody books meanwhile.
    """
    plan = await get_plan(tx, store_id, now=now)
    carried: dict[UUID, tuple[UUID, SlotKey, PlannedSlot]] = {}
    for row in await tx.execute(_BOOKED, {"store_id": store_id, "now": now}):
        key = SlotKey(row.queue_id, row.starts_at, row.party_size_min)
        slots = [
            slot
            for slot in plan.slots_of_day(plan.day_of(row.starts_at))
            if (slot.queue_id, slot.starts_at) == (row.queue_id, row.starts_at)
        ]
        if slots and all(slot.key != key for slot in slots):
            slot = next((one for one in slots if one.fits(row.party_size)), slots[0])
            carried[row.id] = (row.slot_id, key, slot)
    if not carried:
        return 0
    locked = await lock_slots(
        tx,
        [(store_id, slot) for _, _, slot in carried.values()],
        beside=[key for _, key, _ in carried.values()],
    )
    slot_ids = [locked[slot.key].slot_id for _, _, slot in carried.values()]
    await tx.execute(_CARRY, {"ids": list(carried), "slot_ids": slot_ids})
    places = Counter(slot_ids)
    await tx.execute(_COUNT, {"ids": list(places), "places": list(places.values())})
    await free_places(tx, [slot_id for slot_id, _, _ in carried.values()])
    return len(carried)

"""Places in slots: made when first booked, locked in one order, taken and given back.

The last place is guarded three times: by the row's lock, by the condition of the update, and by the
table's check that no slot is booked beyond its capacity.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.queueing.rules.booking_plan import PlannedSlot, SlotKey

_MAKE = text(
    "INSERT INTO booking_slots"
    " (id, store_id, queue_id, starts_at, party_size_min, capacity)"
    " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:store_ids AS uuid[]),"
    " CAST(:queue_ids AS uuid[]), CAST(:starts_ats AS timestamptz[]), CAST(:leasts AS smallint[]),"
    " CAST(:capacities AS smallint[])) AS m(id, store_id, queue_id, starts_at, least, capacity)"
    " ORDER BY queue_id, starts_at, least ON CONFLICT DO NOTHING"
)
_LOCK = text(
    "SELECT b.id, b.queue_id, b.starts_at, b.party_size_min, b.booked FROM booking_slots b"
    " JOIN unnest(CAST(:queue_ids AS uuid[]), CAST(:starts_ats AS timestamptz[]),"
    " CAST(:leasts AS smallint[])) AS m(queue_id, starts_at, least)"
    " ON b.queue_id = m.queue_id AND b.starts_at = m.starts_at AND b.party_size_min = m.least"
    " ORDER BY b.queue_id, b.starts_at, b.party_size_min FOR UPDATE OF b"
)
# A slot keeps what was booked before the plan said less; then it takes nobody more.
_TAKE = text(
    "UPDATE booking_slots b SET booked = b.booked + m.places, capacity = m.capacity"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS smallint[]),"
    " CAST(:capacities AS smallint[])) AS m(id, places, capacity)"
    " WHERE b.id = m.id AND b.booked + m.places <= m.capacity RETURNING b.id"
)
_FREE = text(
    "UPDATE booking_slots b SET booked = b.booked - m.places"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS smallint[])) AS m(id, places)"
    " WHERE b.id = m.id"
)
_LOCK_IDS = text(
    "SELECT id FROM booking_slots WHERE id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY queue_id, starts_at, party_size_min FOR UPDATE"
)


class PlacesTaken(Exception):
    """Somebody took the last place although its row was locked: a bug, and nothing is kept."""


class LockedSlot(msgspec.Struct, kw_only=True):
    """A slot that nobody else can take from until the transaction ends."""

    slot_id: UUID
    planned: PlannedSlot
    booked: int
    taken: int = 0

    @property
    def has_place(self) -> bool:
        """Whether one more party can come."""
        return self.booked + self.taken < self.planned.capacity


async def lock_slots(
    tx: Tx,
    planned: Iterable[tuple[UUID, PlannedSlot]],
    *,
    beside: Sequence[SlotKey] = (),
) -> dict[SlotKey, LockedSlot]:
    """Make the rows that are not there yet and lock them all, in the order of their keys.

    `planned` are slots with their stores; `beside` are to be locked along, to be freed.
    """
    wanted = {slot.key: (store_id, slot) for store_id, slot in planned}
    if wanted:
        await tx.execute(_MAKE, _new_rows(wanted))
    keys = sorted({*wanted, *beside})
    if not keys:
        return {}
    rows = await tx.execute(
        _LOCK,
        {
            "queue_ids": [key.queue_id for key in keys],
            "starts_ats": [key.starts_at for key in keys],
            "leasts": [key.party_size_min for key in keys],
        },
    )
    found: dict[SlotKey, LockedSlot] = {}
    for row in rows:
        key = SlotKey(row.queue_id, row.starts_at, row.party_size_min)
        if key in wanted:
            found[key] = LockedSlot(slot_id=row.id, planned=wanted[key][1], booked=row.booked)
    return found


def _new_rows(wanted: dict[SlotKey, tuple[UUID, PlannedSlot]]) -> dict[str, Any]:
    slots = [slot for _, slot in wanted.values()]
    return {
        "ids": [new_id() for _ in slots],
        "store_ids": [store_id for store_id, _ in wanted.values()],
        "queue_ids": [slot.queue_id for slot in slots],
        "starts_ats": [slot.starts_at for slot in slots],
        "leasts": [slot.party_size_min for slot in slots],
        "capacities": [slot.capacity for slot in slots],
    }


async def take_places(tx: Tx, slots: Iterable[LockedSlot]) -> None:
    """Write down what was taken of locked slots. Raises PlacesTaken, and then nothing is kept."""
    taken = [slot for slot in slots if slot.taken]
    if not taken:
        return
    done = await tx.execute(
        _TAKE,
        {
            "ids": [slot.slot_id for slot in taken],
            "places": [slot.taken for slot in taken],
            "capacities": [slot.planned.capacity for slot in taken],
        },
    )
    if len(done.all()) != len(taken):
        raise PlacesTaken


async def free_places(tx: Tx, slot_ids: Sequence[UUID]) -> None:
    """Give back one place for each id; the rows are locked in the order of their keys first."""
    if not slot_ids:
        return
    places = Counter(slot_ids)
    await tx.execute(_LOCK_IDS, {"ids": list(places)})
    await tx.execute(_FREE, {"ids": list(places), "places": list(places.values())})

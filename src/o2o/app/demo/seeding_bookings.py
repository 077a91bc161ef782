"""Enter how the demo's stores are booked, with a time here and there that is full already."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.app.demo.booking import Booking, BrandBooking, FullSlot
from o2o.app.demo.seeding import Places
from o2o.app.demo.shapes import Store
from o2o.app.demo.world import World
from o2o.crm.statuses_bookings import BookingSource
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.edit_booking_plan import PlanEdit, add_rule, save_booking_settings
from o2o.queueing.booking_commands import BookSlot
from o2o.queueing.queries.arranged import ArrangedQueue, list_arranged_queues
from o2o.queueing.rules.booking_drafts import RuleDraft, SettingsDraft
from o2o.stores.queries import get_store

WEEK = tuple(range(7))


async def seed_bookings(
    tx: Tx, world: World, booking: Booking, *, places: Places, now: datetime
) -> None:
    """Enter settings and slots of every store, then fill the times that are to be full."""
    for brand in booking.booking:
        for store in world.stores_of(brand.brand):
            await _seed_store(tx, brand, store, store_id=places.stores[store.code], now=now)


async def _seed_store(
    tx: Tx, brand: BrandBooking, store: Store, *, store_id: UUID, now: datetime
) -> None:
    edit = PlanEdit(store_id=store_id, actor=SYSTEM, now=now)
    await save_booking_settings(
        tx, SettingsDraft(party_size_usual=brand.party_size_usual), edit=edit
    )
    row = await get_store(tx, store_id)
    lines = {queue.code: queue for queue in await list_arranged_queues(tx, row, now=now)}
    for slots in brand.slots:
        queue = lines[slots.line]
        draft = RuleDraft(
            queue_id=queue.queue_id,
            weekdays=WEEK,
            since_minute=_minute(slots.starts),
            until_minute=_minute(slots.ends),
            slot_minutes=slots.slot_minutes,
            capacity=slots.capacity,
            party_size_min=queue.party_size_min,
            party_size_max=queue.party_size_max,
        )
        await add_rule(tx, draft, edit=edit)
    for full in brand.full:
        if full.store == store.code:
            await _fill(tx, brand, full, store=store, lines=lines, edit=edit)


async def _fill(
    tx: Tx,
    brand: BrandBooking,
    full: FullSlot,
    *,
    store: Store,
    lines: Mapping[str, ArrangedQueue],
    edit: PlanEdit,
) -> None:
    zone = ZoneInfo(store.timezone)
    day = edit.now.astimezone(zone).date() + timedelta(days=full.days_ahead)
    places = max(slots.capacity for slots in brand.slots if slots.line == full.line)
    queue = lines[full.line]
    wishes = [
        BookSlot(
            request_id=new_id(),
            store_id=edit.store_id,
            starts_at=datetime.combine(day, full.at, tzinfo=zone),
            party_size=queue.party_size_min,
            queue_id=queue.queue_id,
            source=BookingSource.CONSOLE,
            now=edit.now,
        )
        for _ in range(places)
    ]
    for booked in await book_slots(tx, wishes):
        # A day on which the store is closed has no such time.
        assert not isinstance(booked, Fact) or booked.code == "booking.no_such_slot", booked


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute

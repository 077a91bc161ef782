"""Stores that can be booked, and people who book, for tests."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from o2o.crm.bookings import BookingRule, BookingSettings
from o2o.crm.members import Fan
from o2o.crm.organisation import Brand, OfficialAccount, Store
from o2o.crm.queueing import Queue
from o2o.crm.statuses import QueueKind, QueueStatus
from o2o.crm.statuses_bookings import BookingSource
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.hours import WEEKDAYS
from o2o.kernel.ids import new_id, new_request_id
from o2o.queueing.booking_commands import BookSlot, ChangeBooking
from tests.factories.members import given_fan
from tests.factories.organisation import given_account, given_brand, given_store
from tests.fakes.clock import NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Hall(msgspec.Struct, kw_only=True):
    """A hall with one bookable line (A), open around the clock, and somebody who follows it."""

    brand: Brand
    account: OfficialAccount
    store: Store
    queue: Queue
    fan: Fan

    def book(self, at: datetime, *, fan: Fan | None = None, **changes: Any) -> BookSlot:
        """A wish of the hall's fan, or of another one."""
        who = fan or self.fan
        wish = BookSlot(
            request_id=new_request_id(),
            store_id=self.store.id,
            starts_at=at,
            source=BookingSource.PAGE,
            fan_id=who.id,
            member_id=who.member_id,
            now=NOON,
        )
        return msgspec.structs.replace(wish, **changes)

    def change(self, booking_id: UUID, **changes: Any) -> ChangeBooking:
        """Something that the hall's fan does to a booking."""
        change = ChangeBooking(
            booking_id=booking_id, is_by_guest=True, fan_id=self.fan.id, now=NOON
        )
        return msgspec.structs.replace(change, **changes)


def shanghai(text_of: str) -> datetime:
    """Read `2026-11-21 09:00` by Shanghai's clock."""
    return datetime.fromisoformat(text_of).replace(tzinfo=SHANGHAI)


async def given_queue(
    tx: Tx, store: Store, *, code: str = "A", party_sizes: tuple[int, int] = (1, 4), rank: int = 0
) -> Queue:
    """A queue that is open."""
    queue = Queue(
        id=new_id(),
        store_id=store.id,
        kind=QueueKind.SERVICE_LINE,
        code=code,
        name=f"{code}线",
        name_en=f"Line {code}",
        party_size_min=party_sizes[0],
        party_size_max=party_sizes[1],
        status=QueueStatus.OPEN,
        minutes_per_party=10,
        rank=rank,
        changed_at=NOON,
        created_at=NOON,
    )
    tx.add(queue)
    await tx.flush()
    return queue


async def given_slots(
    tx: Tx,
    queue: Queue,
    *,
    since: str = "09:00",
    until: str = "12:00",
    slot_minutes: int = 30,
    capacity: int = 1,
    party_sizes: tuple[int, int] = (1, 4),
) -> None:
    """Slots on every day of the week."""
    since_minute, until_minute = (int(part[:2]) * 60 + int(part[3:]) for part in (since, until))
    for weekday in range(7):
        tx.add(
            BookingRule(
                id=new_id(),
                store_id=queue.store_id,
                queue_id=queue.id,
                weekday=weekday,
                since_minute=since_minute,
                until_minute=until_minute,
                slot_minutes=slot_minutes,
                capacity=capacity,
                party_size_min=party_sizes[0],
                party_size_max=party_sizes[1],
                created_at=NOON,
            )
        )
    await tx.flush()


async def given_bookable_store(
    tx: Tx, brand: Brand, account: OfficialAccount, *, name: str = "电信静安厅", **settings: Any
) -> Store:
    """A store that takes bookings, open around the clock."""
    store = await given_store(tx, brand, account, name=name)
    store.hours = {day: [["00:00", "24:00"]] for day in WEEKDAYS}
    tx.add(BookingSettings(store_id=store.id, changed_at=NOON, **settings))
    await tx.flush()
    return store


async def given_hall(
    sessions: SessionFactory,
    *,
    seal: Seal,
    capacity: int = 1,
    until: str = "12:00",
    **settings: Any,
) -> Hall:
    """A committed hall with slots from nine until noon, half an hour each."""
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        account.place_word = "营业厅"
        store = await given_bookable_store(tx, brand, account, **settings)
        queue = await given_queue(tx, store)
        await given_slots(tx, queue, capacity=capacity, until=until)
        fan = await given_fan(tx, account)
    return Hall(brand=brand, account=account, store=store, queue=queue, fan=fan)


async def given_fans(sessions: SessionFactory, hall: Hall, number: int) -> list[Fan]:
    """More people who follow."""
    async with transaction(sessions) as tx:
        return [await given_fan(tx, hall.account) for _ in range(number)]


async def slots_booked(sessions: SessionFactory) -> dict[str, int]:
    """How many places are taken, by the time of the slot in Shanghai, as committed."""
    async with sessions() as session:
        rows = await session.execute(
            text("SELECT starts_at, sum(booked) AS booked FROM booking_slots GROUP BY starts_at")
        )
        return {
            f"{row.starts_at.astimezone(SHANGHAI):%m-%d %H:%M}": int(row.booked)
            for row in rows
            if row.booked
        }

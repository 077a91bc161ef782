"""The last place of a slot: many want it at once, one gets it, whichever guard is left."""

import asyncio
from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.hours import WEEKDAYS
from o2o.kernel.ids import new_request_id
from o2o.queueing.actions import hold_places
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.actions.reschedule_booking import reschedule_booking
from o2o.queueing.actions.set_booked_hours import set_booked_hours
from o2o.queueing.booking_commands import Booked, BookSlot, NewTime
from o2o.queueing.bookings import Bookings
from o2o.queueing.errors_bookings import (
    BookingsWouldLoseTime,
    SlotFull,
    SlotNotThere,
    TooManyBookings,
)
from o2o.stores.actions.set_hours import Spans
from tests.concurrency.racing import both_at_once, without
from tests.factories.bookings import (
    Hall,
    given_fans,
    given_hall,
    shanghai,
    slots_booked,
)
from tests.factories.members import count
from tests.fakes.clock import NOON

NINE = shanghai("2026-11-21 09:00")
HALF_PAST = shanghai("2026-11-21 09:30")
TEN = shanghai("2026-11-21 10:00")
CHECK = "ck_booking_slots_not_oversold"


async def alone(sessions: SessionFactory, command: BookSlot) -> Booked | Fact:
    """Book on a connection of one's own."""
    async with transaction(sessions) as tx:
        [done] = await book_slots(tx, [command])
        return done


async def test_of_many_connections_exactly_one_gets_the_last_place(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    for at in (NINE, HALF_PAST, TEN):
        fans = await given_fans(sessions, hall, 12)
        done = await asyncio.gather(*(alone(sessions, hall.book(at, fan=f)) for f in fans))
        won = [one for one in done if isinstance(one, Booked)]
        assert len(won) == 1
        assert sum(isinstance(one, SlotFull) for one in done) == 11
    assert await slots_booked(sessions) == {"11-21 09:00": 1, "11-21 09:30": 1, "11-21 10:00": 1}
    assert await count(sessions, "bookings") == 3


async def test_coalesced_bookings_fill_every_place_and_no_more(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=7)
    desks = [Bookings(sessions=sessions) for _ in range(3)]
    fans = await given_fans(sessions, hall, 45)
    done = await asyncio.gather(
        *(desks[i % 3].book(hall.book(NINE, fan=fan)) for i, fan in enumerate(fans)),
        return_exceptions=True,
    )
    codes = [one.code for one in done if isinstance(one, Booked)]
    assert len(codes) == len(set(codes)) == 7
    assert sum(isinstance(one, SlotFull) for one in done) == 38
    assert await slots_booked(sessions) == {"11-21 09:00": 7}


async def test_one_request_sent_by_many_is_one_booking(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=20)
    wish = hall.book(NINE)
    done = await asyncio.gather(*(alone(sessions, wish) for _ in range(8)))
    assert {one.code for one in done if isinstance(one, Booked)} == {booked_code(done)}
    assert sum(isinstance(one, Booked) and not one.is_replay for one in done) == 1
    assert await slots_booked(sessions) == {"11-21 09:00": 1}


def booked_code(done: list[Booked | Fact]) -> str:
    [first] = {one.code for one in done if isinstance(one, Booked)}
    return first


async def test_a_person_books_a_time_once_and_no_more_than_may_be(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=20, live_max=2)
    same = await asyncio.gather(*(alone(sessions, hall.book(NINE)) for _ in range(6)))
    assert all(isinstance(one, Booked) for one in same)
    times = [HALF_PAST, TEN, shanghai("2026-11-21 10:30"), shanghai("2026-11-21 11:00")]
    more = await asyncio.gather(*(alone(sessions, hall.book(at)) for at in times))
    assert sum(isinstance(one, Booked) for one in more) == 1
    assert sum(isinstance(one, TooManyBookings) for one in more) == 3
    assert await count(sessions, "bookings") == 2


async def test_two_who_swap_their_times_do_not_block_each_other(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=2)
    [other] = await given_fans(sessions, hall, 1)
    first = await alone(sessions, hall.book(NINE))
    second = await alone(sessions, hall.book(TEN, fan=other))
    assert isinstance(first, Booked)
    assert isinstance(second, Booked)

    async def swap(booked: Booked, at: datetime, hall: Hall) -> Booked:
        async with transaction(sessions) as tx:
            change = hall.change(booked.booking_id, is_by_guest=False)
            return await reschedule_booking(tx, change, NewTime(starts_at=at))

    for there, back in ((TEN, NINE), (NINE, TEN)) * 3:
        await asyncio.gather(swap(first, there, hall), swap(second, back, hall))
    assert await slots_booked(sessions) == {"11-21 09:00": 1, "11-21 10:00": 1}


async def test_a_booking_that_moves_meanwhile_is_found_in_its_new_slot(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    mine = await alone(sessions, hall.book(NINE))
    assert isinstance(mine, Booked)
    change = hall.change(mine.booking_id)

    async def move(tx: Tx) -> Booked:
        return await reschedule_booking(tx, change, NewTime(starts_at=TEN))

    async def cancel(tx: Tx) -> Booked | Fact:
        [done] = await cancel_bookings(tx, [change])
        return done

    _, cancelled = await both_at_once(sessions, move, cancel)
    assert isinstance(cancelled, Booked), cancelled
    assert cancelled.starts_at == TEN
    assert await slots_booked(sessions) == {}


async def test_nobody_books_while_hours_change_that_were_looked_at(
    sessions: SessionFactory, seal: Seal
) -> None:
    """Who was first counts: the hours ask again, or the time is no longer there."""
    hall = await given_hall(sessions, seal=seal)
    closed: dict[date, Spans] = {NINE.date(): ()}

    async def book(tx: Tx) -> Booked | Fact:
        [done] = await book_slots(tx, [hall.book(NINE)])
        return done

    async def close(tx: Tx) -> Fact | None:
        try:
            await set_booked_hours(
                tx,
                store_id=hall.store.id,
                brand_id=hall.brand.id,
                hours={day: [("00:00", "24:00")] for day in WEEKDAYS},
                exceptions=closed,
                confirmed=(),
                today=NOON.date(),
                actor=SYSTEM,
                now=NOON,
            )
        except BookingsWouldLoseTime as fact:
            return fact
        return None

    booked, asked = await both_at_once(sessions, book, close)
    assert isinstance(booked, Booked)
    assert isinstance(asked, BookingsWouldLoseTime)
    assert asked.booking_ids == [booked.booking_id]
    assert await count(sessions, "stores", "hours_exceptions <> '{}'") == 0

    async with transaction(sessions) as tx:
        await cancel_bookings(tx, [hall.change(booked.booking_id)])
    done, refused = await both_at_once(sessions, close, book)
    assert done is None
    assert isinstance(refused, SlotNotThere)
    assert await slots_booked(sessions) == {}


async def test_without_the_lock_the_condition_still_holds(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    await give_slot(sessions, hall)
    leave_unlocked(monkeypatch)
    with pytest.raises(hold_places.PlacesTaken):
        await at_once(sessions, hall.book(NINE), hall.book(NINE, fan=other))
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    assert await count(sessions, "bookings", "status = 'booked'") == 1


async def test_without_lock_and_condition_the_table_refuses(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    await give_slot(sessions, hall)
    leave_unlocked(monkeypatch)
    leave_unconditional(monkeypatch)
    _, later = await at_once(sessions, hall.book(NINE), hall.book(NINE, fan=other))
    assert isinstance(later, IntegrityError)
    assert "not_oversold" in str(later)
    assert await slots_booked(sessions) == {"11-21 09:00": 1}


async def test_without_any_guard_a_place_is_sold_twice(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race happens: what keeps it from harm are the guards."""
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    await give_slot(sessions, hall)
    async with transaction(sessions) as tx:
        await tx.execute(text(f"ALTER TABLE booking_slots DROP CONSTRAINT {CHECK}"))
    try:
        leave_unlocked(monkeypatch)
        leave_unconditional(monkeypatch)
        await at_once(sessions, hall.book(NINE), hall.book(NINE, fan=other))
        assert await slots_booked(sessions) == {"11-21 09:00": 2}
    finally:
        async with transaction(sessions) as tx:
            await tx.execute(text("UPDATE booking_slots SET booked = 0"))
            await tx.execute(
                text(
                    f"ALTER TABLE booking_slots ADD CONSTRAINT {CHECK}"
                    " CHECK (booked >= 0 AND booked <= capacity)"
                )
            )


def leave_unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read slots without a lock; and make none, since that waits for whoever changes the row."""
    monkeypatch.setattr(hold_places, "_LOCK", without(hold_places._LOCK, " FOR UPDATE OF b"))
    monkeypatch.setattr(hold_places, "_MAKE", text("SELECT 1"))


def leave_unconditional(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a place whether there is one or not."""
    guard = " AND b.booked + m.places <= m.capacity"
    monkeypatch.setattr(hold_places, "_TAKE", without(hold_places._TAKE, guard))


async def give_slot(sessions: SessionFactory, hall: Hall) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text(
                "INSERT INTO booking_slots"
                " (id, store_id, queue_id, starts_at, party_size_min, capacity)"
                " VALUES (:id, :store_id, :queue_id, :at, 1, 1)"
            ),
            {
                "id": new_request_id(),
                "store_id": hall.store.id,
                "queue_id": hall.queue.id,
                "at": NINE,
            },
        )


async def at_once(
    sessions: SessionFactory, first: BookSlot, second: BookSlot
) -> tuple[object, object]:
    return await both_at_once(
        sessions, lambda tx: book_slots(tx, [first]), lambda tx: book_slots(tx, [second])
    )

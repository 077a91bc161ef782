"""What becomes of bookings: called off, moved, kept, missed, reminded; plans that change."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.statuses import TicketPriority
from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import StoreId, new_request_id
from o2o.queueing.actions.arrange_queues import retire_queue
from o2o.queueing.actions.arrive_bookings import arrive_bookings
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.actions.edit_booking_plan import PlanEdit, add_rule, except_date
from o2o.queueing.actions.reschedule_booking import reschedule_booking
from o2o.queueing.actions.run_queues import close_queue, open_queue
from o2o.queueing.actions.sweep_bookings import (
    cancel_ownerless,
    end_not_kept,
    end_with_tickets,
    mark_reminders,
)
from o2o.queueing.actions.tell_of_bookings import (
    BookingVoice,
    are_booking_notices_true,
    remind,
    tell_of_cancellations,
)
from o2o.queueing.booking_commands import Arrived, Booked, ChangeBooking, NewTime
from o2o.queueing.errors_arrange import QueueStillInUse
from o2o.queueing.errors_bookings import (
    ArrivedTooEarly,
    BookedAlready,
    BookingEnded,
    BookingMissed,
    BookingNotFound,
    BookingRulesOverlap,
    SlotFull,
)
from o2o.queueing.jobs_bookings import BookingJobs
from o2o.queueing.queries.affected_bookings import list_affected
from o2o.queueing.queries.booking_day import Timing, list_arrivals, list_day
from o2o.queueing.rules.booking_drafts import ExceptionDraft, RuleDraft
from o2o.stores.events import StoreHoursSet
from o2o.web.copy import Words
from tests.factories.bookings import (
    SHANGHAI,
    Hall,
    given_fans,
    given_hall,
    shanghai,
    slots_booked,
)
from tests.factories.members import count
from tests.fakes.clock import NOON, FakeClock

NINE = shanghai("2026-11-21 09:00")
TEN = shanghai("2026-11-21 10:00")
VOICE = BookingVoice(Words(), "https://o2o.example")


async def book(
    sessions: SessionFactory, hall: Hall, at: datetime = NINE, **changes: object
) -> Booked:
    async with transaction(sessions) as tx:
        [done] = await book_slots(tx, [hall.book(at, **changes)])  # type: ignore[arg-type]  # fields of the wish
    assert isinstance(done, Booked), done
    return done


async def arrive(sessions: SessionFactory, *changes: ChangeBooking) -> list[Arrived | Fact]:
    async with transaction(sessions) as tx:
        return await arrive_bookings(tx, changes)


async def status_of(sessions: SessionFactory) -> list[str]:
    async with sessions() as tx:
        rows = await tx.execute(text("SELECT status FROM bookings ORDER BY booked_at, id"))
        return [row.status for row in rows]


async def test_cancelled_twice_it_is_cancelled_once(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=3)
    [other] = await given_fans(sessions, hall, 1)
    mine = await book(sessions, hall)
    await book(sessions, hall, fan=other)
    async with transaction(sessions) as tx:
        stranger = hall.change(mine.booking_id, fan_id=other.id)
        own = hall.change(mine.booking_id, request_id=new_request_id())
        [refused, first, twin] = await cancel_bookings(tx, [stranger, own, own])
    async with transaction(sessions) as tx:
        [again] = await cancel_bookings(tx, [own])
        [other_use] = await arrive_bookings(tx, [own])
    assert isinstance(refused, BookingNotFound)
    assert isinstance(first, Booked)
    assert (first.status, first.is_replay) == (BookingStatus.CANCELLED, False)
    assert twin == again == msgspec.structs.replace(first, is_replay=True)
    assert isinstance(other_use, RequestBodyDiffers)
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    assert await count(sessions, "booking_moves", "move = 'cancelled'") == 1


async def test_a_booking_moves_with_its_code_or_stays(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    mine = await book(sessions, hall)
    await book(sessions, hall, TEN, fan=other)
    change = hall.change(mine.booking_id)
    with pytest.raises(SlotFull):
        async with transaction(sessions) as tx:
            await reschedule_booking(tx, change, NewTime(starts_at=TEN))
    assert await slots_booked(sessions) == {"11-21 09:00": 1, "11-21 10:00": 1}
    half_past = shanghai("2026-11-21 09:30")
    async with transaction(sessions) as tx:
        moved = await reschedule_booking(tx, change, NewTime(starts_at=half_past, party_size=2))
        again = await reschedule_booking(tx, change, NewTime(starts_at=half_past, party_size=2))
        smaller = await reschedule_booking(tx, change, NewTime(starts_at=half_past, party_size=1))
    assert (moved.code, moved.starts_at, moved.party_size) == (mine.code, half_past, 2)
    assert again == msgspec.structs.replace(moved, is_replay=True)
    assert smaller.party_size == 1
    assert await slots_booked(sessions) == {"11-21 09:30": 1, "11-21 10:00": 1}
    second = await book(sessions, hall, shanghai("2026-11-22 09:00"))
    there = NewTime(starts_at=half_past)
    with pytest.raises(BookedAlready):
        async with transaction(sessions) as tx:
            await reschedule_booking(tx, hall.change(second.booking_id), there)


async def test_a_move_sent_again_late_moves_nothing(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    mine = await book(sessions, hall)

    async def move(to: datetime, request_id: UUID) -> Booked:
        change = hall.change(mine.booking_id, request_id=request_id)
        async with transaction(sessions) as tx:
            return await reschedule_booking(tx, change, NewTime(starts_at=to))

    first, second = new_request_id(), new_request_id()
    assert (await move(TEN, first)).starts_at == TEN
    half_past = shanghai("2026-11-21 09:30")
    with pytest.raises(RequestBodyDiffers):
        await move(half_past, first)
    assert (await move(half_past, second)).is_replay is False
    # The first one comes once more, when its guest has moved on.
    late = await move(TEN, first)
    assert (late.starts_at, late.is_replay) == (half_past, True)
    assert await slots_booked(sessions) == {"11-21 09:30": 1}
    assert await count(sessions, "booking_moves", "move = 'rescheduled'") == 2


async def test_a_queue_that_changes_keeps_what_it_promised(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    mine = await book(sessions, hall, party_size=4)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE queues SET party_size_max = 2"))
    where: dict[str, Any] = {"store_id": hall.store.id, "actor": SYSTEM, "now": NINE}
    async with transaction(sessions) as tx:
        await close_queue(tx, hall.queue.id, actor=SYSTEM, now=NOON)
        with pytest.raises(QueueStillInUse) as refused:
            await retire_queue(tx, hall.queue.id, **where)
        await open_queue(tx, hall.queue.id, actor=SYSTEM, now=NOON)
    assert refused.value.detail == {"waiting": 0, "bookings": 1}
    [here] = await arrive(sessions, hall.change(mine.booking_id, now=NINE))
    assert isinstance(here, Arrived), here
    assert (here.ticket_code, here.is_late) == ("A001", False)


async def test_an_arrival_becomes_a_number_by_when_it_comes(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=9, early_minutes=30, grace_minutes=15)
    fans = await given_fans(sessions, hall, 3)
    booked = [await book(sessions, hall, fan=fan) for fan in fans]
    changes = [
        hall.change(one.booking_id, fan_id=fan.id) for one, fan in zip(booked, fans, strict=True)
    ]

    def at(change: ChangeBooking, minutes: int, seconds: int = 0) -> ChangeBooking:
        now = NINE + timedelta(minutes=minutes, seconds=seconds)
        return msgspec.structs.replace(change, now=now)

    [early] = await arrive(sessions, at(changes[0], -30, -1))
    assert isinstance(early, ArrivedTooEarly)
    assert early.detail["from_clock"] == "08:30"
    [in_time] = await arrive(sessions, at(changes[0], 15))
    [late] = await arrive(sessions, at(changes[1], 15, 1))
    [missed] = await arrive(sessions, at(changes[2], 30))
    [again] = await arrive(sessions, at(changes[0], 29))
    assert isinstance(in_time, Arrived)
    assert isinstance(late, Arrived)
    assert isinstance(missed, BookingMissed)
    assert (in_time.ticket_code, in_time.is_late) == ("A001", False)
    assert (late.ticket_code, late.is_late) == ("A002", True)
    assert isinstance(again, Arrived)
    assert (again.ticket_id, again.ticket_code, again.is_replay) == (
        in_time.ticket_id,
        "A001",
        True,
    )
    async with sessions() as tx:
        rows = await tx.execute(text("SELECT priority FROM tickets ORDER BY number"))
        assert [row.priority for row in rows] == [
            TicketPriority.BOOKED.value,
            TicketPriority.ORDINARY.value,
        ]
    async with transaction(sessions) as tx:
        [refused] = await cancel_bookings(tx, [changes[0]])
        await end_with_tickets(tx, [in_time.ticket_id], is_served=True, now=TEN)
        await end_with_tickets(tx, [late.ticket_id], is_served=False, now=TEN)
    assert isinstance(refused, BookingEnded)
    assert await status_of(sessions) == ["served", "cancelled", "booked"]


async def test_who_does_not_come_is_marked_once_however_the_clock_jumps(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, no_show_minutes=30)
    await book(sessions, hall)
    async with transaction(sessions) as tx:
        assert await end_not_kept(tx, now=NINE + timedelta(minutes=29, seconds=59)) == 0
        assert await end_not_kept(tx, now=NINE + timedelta(minutes=30)) == 1
        assert await end_not_kept(tx, now=NINE - timedelta(days=1)) == 0
        assert await end_not_kept(tx, now=NINE + timedelta(days=9)) == 0
    assert await status_of(sessions) == ["no_show"]
    await book(sessions, hall, shanghai("2026-11-23 09:00"))
    async with transaction(sessions) as tx:
        days = (date(2026, 11, 21), date(2026, 11, 23))
        seen = [await list_day(tx, hall.store.id, d, zone=SHANGHAI, now=TEN) for d in days]
    assert [[one.no_shows for one in day] for day in seen] == [[0], [1]]


async def test_a_reminder_goes_once_and_only_while_it_is_true(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=5, remind_minutes=60)
    mine = await book(sessions, hall)
    [late_comer] = await given_fans(sessions, hall, 1)
    await book(sessions, hall, fan=late_comer, now=NINE - timedelta(minutes=59))

    async def told(now: datetime) -> int:
        async with transaction(sessions) as tx:
            return await remind(tx, VOICE, await mark_reminders(tx, now=now), now=now)

    assert await told(NINE - timedelta(minutes=61)) == 0
    assert await told(NINE - timedelta(minutes=60)) == 1
    assert await told(NINE - timedelta(minutes=61)) == 0
    assert await told(NINE - timedelta(minutes=30)) == 0
    async with transaction(sessions) as tx:
        row = (await tx.execute(text("SELECT purpose, content, about FROM deliveries"))).one()
        assert row.purpose == "booking_reminder"
        assert row.content["data"] == {
            "thing1": "电信静安厅",
            "time2": "2026年11月21日 09:00",
            "number3": "1",
            "character_string4": mine.code,
        }
        before = NINE - timedelta(minutes=1)
        assert await are_booking_notices_true(tx, [row.about], before) == [True]
        assert await are_booking_notices_true(tx, [row.about], NINE) == [False]
        await cancel_bookings(tx, [hall.change(mine.booking_id)])
        assert await are_booking_notices_true(tx, [row.about], before) == [False]


async def test_a_closed_date_calls_off_and_tells(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    mine = await book(sessions, hall)
    next_day = await book(sessions, hall, shanghai("2026-11-22 09:00"))
    edit = PlanEdit(store_id=hall.store.id, actor=SYSTEM, now=NOON)
    closed = ExceptionDraft(
        queue_id=None, applies_on=date(2026, 11, 21), capacity=None, reason="设备检修"
    )
    async with transaction(sessions) as tx:
        affected = await list_affected(tx, hall.store.id, closed, now=NOON)
        cancelled = await except_date(tx, closed, edit=edit)
    assert [one.booking_id for one in affected] == cancelled == [mine.booking_id]
    assert next_day.booking_id not in cancelled
    async with transaction(sessions) as tx:
        assert await tell_of_cancellations(tx, VOICE, cancelled, now=NOON) == 1
        assert await tell_of_cancellations(tx, VOICE, cancelled, now=NOON) == 0
        content = await tx.scalar(text("SELECT content FROM deliveries"))
        assert content["data"]["thing3"] == "设备检修"
    async with transaction(sessions) as tx:
        [refused] = await book_slots(tx, [hall.book(NINE)])
    assert isinstance(refused, Fact)
    assert refused.code == "booking.no_such_slot"


async def test_fewer_places_keep_those_who_booked(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=3)
    fans = await given_fans(sessions, hall, 2)
    for fan in fans:
        await book(sessions, hall, fan=fan)
    edit = PlanEdit(store_id=hall.store.id, actor=SYSTEM, now=NOON)
    one_each = ExceptionDraft(
        queue_id=hall.queue.id, applies_on=date(2026, 11, 21), capacity=1, reason=""
    )
    async with transaction(sessions) as tx:
        assert len(await list_affected(tx, hall.store.id, one_each, now=NOON)) == 1
        assert await except_date(tx, one_each, edit=edit) == []
        [full] = await book_slots(tx, [hall.book(NINE)])
    assert isinstance(full, SlotFull)
    assert await status_of(sessions) == ["booked", "booked"]


async def test_hours_that_close_the_store_call_off(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await book(sessions, hall)
    jobs = BookingJobs(FakeClock(), VOICE)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE stores SET hours_exceptions = '{\"2026-11-22\": []}'"))
        await jobs.follow_hours(tx, StoreHoursSet(store_id=StoreId(hall.store.id)))
    assert await status_of(sessions) == ["booked"]
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE stores SET hours_exceptions = '{\"2026-11-21\": []}'"))
        await jobs.follow_hours(tx, StoreHoursSet(store_id=StoreId(hall.store.id)))
    assert await status_of(sessions) == ["cancelled"]
    assert await slots_booked(sessions) == {}


async def test_the_place_of_somebody_who_was_deleted_is_free_again(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    await book(sessions, hall)
    async with transaction(sessions) as tx:
        assert await cancel_ownerless(tx, now=NOON) == 0
        await tx.execute(text("UPDATE bookings SET fan_id = NULL, member_id = NULL"))
        assert await cancel_ownerless(tx, now=NOON) == 1
    assert await slots_booked(sessions) == {}


async def test_rules_of_a_queue_do_not_overlap(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    edit = PlanEdit(store_id=hall.store.id, actor=SYSTEM, now=NOON)
    draft = RuleDraft(
        queue_id=hall.queue.id,
        weekdays=(0, 6),
        since_minute=11 * 60 + 30,
        until_minute=14 * 60,
        slot_minutes=30,
        capacity=1,
        party_size_min=4,
        party_size_max=8,
    )
    async with transaction(sessions) as tx:
        with pytest.raises(BookingRulesOverlap):
            await add_rule(tx, draft, edit=edit)
        for_many = msgspec.structs.replace(draft, party_size_min=5)
        assert len(await add_rule(tx, for_many, edit=edit)) == 2


async def test_a_clerk_sees_who_is_expected(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal, live_max=9)
    for at in (NINE, TEN, shanghai("2026-11-21 11:30")):
        await book(sessions, hall, at)
    async with transaction(sessions) as tx:
        seen = await list_arrivals(tx, hall.store.id, NINE + timedelta(minutes=16))
    assert [(one.timing, one.minutes_left) for one in seen] == [
        (Timing.LATE, -16),
        (Timing.EARLY, 44),
    ]

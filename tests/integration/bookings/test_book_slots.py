"""Booking a slot: exactly as many as there are places, once per person and time."""

import msgspec
from sqlalchemy import text

from o2o.crm.members import Fan
from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.actions.edit_booking_plan import PlanEdit, change_rule
from o2o.queueing.booking_commands import Booked, BookSlot
from o2o.queueing.errors_bookings import (
    BookedAlready,
    SlotFull,
)
from o2o.queueing.rules.booking_drafts import RuleDraft
from tests.factories.bookings import (
    SHANGHAI,
    given_fans,
    given_hall,
    shanghai,
    slots_booked,
)
from tests.factories.members import count, given_member
from tests.fakes.clock import NOON

NINE = shanghai("2026-11-21 09:00")


async def booked(sessions: SessionFactory, *commands: BookSlot) -> list[Booked | Fact]:
    async with transaction(sessions) as tx:
        return await book_slots(tx, commands)


async def test_a_free_slot_is_booked(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [done] = await booked(sessions, hall.book(NINE))
    assert isinstance(done, Booked)
    assert (done.status, done.store_name, done.starts_at, done.party_size, done.is_replay) == (
        BookingStatus.BOOKED,
        "电信静安厅",
        NINE,
        1,
        False,
    )
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    assert await count(sessions, "booking_moves", "move = 'booked'") == 1
    assert await count(sessions, "outbox_messages", "topic = 'booking.made'") == 1


async def test_a_full_slot_is_refused_with_the_nearest(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    await booked(sessions, hall.book(NINE))
    [refused] = await booked(sessions, hall.book(NINE, fan=other))
    assert isinstance(refused, SlotFull)
    near = [f"{at.astimezone(SHANGHAI):%m-%d %H:%M}" for at in refused.nearest]
    assert near == ["11-21 09:30", "11-21 10:00", "11-21 10:30"]
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    assert await count(sessions, "bookings") == 1


async def test_sent_again_it_is_one_booking(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=5)
    wish = hall.book(NINE)
    [first, twin] = await booked(sessions, wish, wish)
    [again] = await booked(sessions, wish)
    [other_body] = await booked(
        sessions, msgspec.structs.replace(wish, starts_at=shanghai("2026-11-21 09:30"))
    )
    assert isinstance(first, Booked)
    assert [twin, again] == [msgspec.structs.replace(first, is_replay=True)] * 2
    assert isinstance(other_body, RequestBodyDiffers)
    assert await slots_booked(sessions) == {"11-21 09:00": 1}


async def test_one_person_has_one_booking_of_a_time(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=5)
    [first, second] = await booked(sessions, hall.book(NINE), hall.book(NINE))
    [larger] = await booked(sessions, hall.book(NINE, party_size=3))
    assert isinstance(first, Booked)
    assert second == msgspec.structs.replace(first, is_replay=True)
    assert isinstance(larger, BookedAlready)
    assert larger.booking_id == first.booking_id
    assert await slots_booked(sessions) == {"11-21 09:00": 1}


async def test_who_became_a_member_has_the_booking_of_before(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=5)
    [first] = await booked(sessions, hall.book(NINE))
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
        (await tx.get_one(Fan, hall.fan.id)).member_id = member_id
    [again] = await booked(sessions, hall.book(NINE, fan_id=None, member_id=member_id))
    assert isinstance(first, Booked)
    assert again == msgspec.structs.replace(first, is_replay=True)
    assert await slots_booked(sessions) == {"11-21 09:00": 1}


async def test_places_are_not_given_anew_when_a_slot_is_for_others(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    [mine] = await booked(sessions, hall.book(NINE, party_size=2))
    assert isinstance(mine, Booked)
    draft = RuleDraft(
        queue_id=hall.queue.id,
        weekdays=(5,),
        since_minute=9 * 60,
        until_minute=12 * 60,
        slot_minutes=30,
        capacity=1,
        party_size_min=2,
        party_size_max=6,
    )
    async with transaction(sessions) as tx:
        rule_id = await tx.scalar(text("SELECT id FROM booking_rules WHERE weekday = 5"))
        edit = PlanEdit(store_id=hall.store.id, actor=SYSTEM, now=NOON)
        await change_rule(tx, rule_id, draft, edit=edit)
    theirs = hall.book(NINE, fan=other, party_size=2)
    [refused] = await booked(sessions, theirs)
    assert isinstance(refused, SlotFull)
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    async with transaction(sessions) as tx:
        await cancel_bookings(tx, [hall.change(mine.booking_id)])
    [done] = await booked(sessions, theirs)
    assert isinstance(done, Booked)
    assert await slots_booked(sessions) == {"11-21 09:00": 1}

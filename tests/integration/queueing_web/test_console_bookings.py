"""The console's forms of bookings: what stands in the way is said, and nothing moves then."""

import re

import pytest
from sqlalchemy import select

from o2o.crm.members import Fan
from o2o.crm.queueing import Queue
from o2o.crm.statuses_bookings import BookingSource
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import new_id, new_request_id
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.actions.edit_booking_plan import PlanEdit, save_booking_settings
from o2o.queueing.booking_commands import Booked, BookSlot
from o2o.queueing.rules.booking_drafts import SettingsDraft
from tests.factories.bookings import given_slots, shanghai
from tests.factories.halls import Halls, at_console, rows
from tests.factories.members import given_fan
from tests.factories.pads import Browser
from tests.factories.queues import Hall
from tests.fakes.clock import NOON

MONDAY_NINE = shanghai("2026-11-23 09:00")
RULE = {
    "weekdays": "0",
    "since": "14:00",
    "until": "16:00",
    "slot_minutes": "30",
    "capacity": "2",
    "party_size_min": "1",
    "party_size_max": "2",
}
SETTINGS = {
    "is_taking": "yes",
    "live_max": "2",
    "party_size_usual": "2",
    "remind_minutes": "60",
    "early_minutes": "30",
    "grace_minutes": "10",
    "no_show_minutes": "30",
}
CLOSED = {"applies_on": "2026-11-23", "except_queue_id": "", "kind": "closed", "reason": "检修"}
# Always open, but not on Monday.
WEEK = dict.fromkeys(("tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
STANDS = (
    "SELECT 'rules', count(*), sum(capacity) FROM booking_rules UNION ALL"
    " SELECT 'exceptions', count(*), 0 FROM booking_exceptions UNION ALL"
    " SELECT 'settings', count(*), sum(live_max) FROM booking_settings UNION ALL"
    " SELECT status, count(*), 0 FROM bookings GROUP BY status UNION ALL"
    " SELECT 'hours', count(*), 0 FROM stores WHERE hours ->> 'mon' <> '[]' ORDER BY 1"
)


@pytest.fixture
async def fans(sessions: SessionFactory, halls: Halls) -> list[Fan]:
    """People who may book; both stores take bookings from nine until noon, three at a time."""
    async with transaction(sessions) as tx:
        for hall in (halls.here, halls.far):
            edit = PlanEdit(store_id=hall.store.id, actor=SYSTEM, now=NOON)
            await save_booking_settings(tx, SettingsDraft(live_max=5), edit=edit)
            queue = await tx.scalar(select(Queue).where(Queue.id == hall.a))
            assert queue is not None
            await given_slots(tx, queue, capacity=3, party_sizes=(1, 2))
        return [await given_fan(tx, halls.here.account) for _ in range(3)]


async def booked(sessions: SessionFactory, hall: Hall, fan: Fan) -> Booked:
    """Monday at nine, for two."""
    wish = BookSlot(
        request_id=new_request_id(),
        store_id=hall.store.id,
        starts_at=MONDAY_NINE,
        party_size=2,
        source=BookingSource.PAGE,
        fan_id=fan.id,
        now=NOON,
    )
    async with transaction(sessions) as tx:
        [done] = await book_slots(tx, [wish])
    assert isinstance(done, Booked), done
    return done


def confirmed_in(page: str) -> str:
    """The bookings that the asking page would confirm."""
    [ids] = re.findall(r'name="confirmed" value="(.*?)"', page)
    return str(ids)


async def test_who_lacks_the_right_or_means_another_store_moves_nothing(
    browser: Browser, halls: Halls, fans: list[Fan], sessions: SessionFactory
) -> None:
    here, far = (f"/console/queues/{h.store.id}/bookings" for h in (halls.here, halls.far))
    mine = await booked(sessions, halls.here, fans[0])
    theirs = await booked(sessions, halls.far, fans[0])
    [(far_rule,)] = await rows(
        sessions,
        "SELECT id FROM booking_rules WHERE store_id = :id AND weekday = 0",
        id=halls.far.store.id,
    )
    before = await rows(sessions, STANDS)
    for login, wanted in (("marketer", 403), ("farmanager", 403)):
        await at_console(browser, login)
        for path, fields in (
            (f"{here}/{mine.booking_id}/arrive", {}),
            (f"{here}/{mine.booking_id}/cancel", {}),
            (f"{here}/plan/settings", SETTINGS),
            (f"{here}/plan/rules", RULE | {"queue_id": halls.here.a}),
            (f"{here}/plan/exceptions", CLOSED),
        ):
            answer = await browser.post(path, **fields)
            assert answer.status_code == wanted, (login, path, answer.text)

    await at_console(browser, "manager")
    for path, fields, status in (
        (f"{far}/plan/settings", SETTINGS, 403),
        # By the own store's address, what belongs to another.
        (f"{here}/{theirs.booking_id}/arrive", {}, 404),
        (f"{here}/{theirs.booking_id}/cancel", {}, 404),
        (f"{here}/{new_id()}/cancel", {}, 404),
        (f"{here}/plan/rules", RULE | {"queue_id": halls.far.a}, 422),
        (f"{here}/plan/exceptions", CLOSED | {"except_queue_id": halls.far.a}, 422),
        (f"{here}/plan/rules/{far_rule}", {"withdraw": "yes"}, 404),
        (f"{here}/plan/exceptions/{new_id()}/withdraw", {}, 404),
    ):
        answer = await browser.post(path, **fields)
        assert answer.status_code == status, (path, answer.text)
    assert await rows(sessions, STANDS) == before


async def test_what_a_plan_cannot_be_is_said_and_not_kept(
    browser: Browser, halls: Halls, fans: list[Fan], sessions: SessionFactory
) -> None:
    plan = f"/console/queues/{halls.here.store.id}/bookings/plan"
    before = await rows(sessions, STANDS)
    await at_console(browser, "manager")
    rule = RULE | {"queue_id": str(halls.here.a)}
    for form, fields, wrong in (
        ("rules", rule, {"since": "25:00"}),
        ("rules", rule, {"since": "16:00"}),
        ("rules", rule, {"until": "14:10"}),
        ("rules", rule, {"slot_minutes": "4"}),
        ("rules", rule, {"capacity": "0"}),
        ("rules", rule, {"capacity": "9999999999"}),
        ("rules", rule, {"party_size_min": "3"}),
        ("rules", rule, {"queue_id": "x"}),
        ("rules", rule, {"weekdays": "7"}),
        ("exceptions", CLOSED, {"applies_on": "2026-11-19"}),
        ("exceptions", CLOSED, {"applies_on": "2026-02-30"}),
        ("exceptions", CLOSED, {"reason": "长" * 21}),
        ("exceptions", CLOSED, {"kind": "capacity", "except_capacity": "-1"}),
        ("settings", SETTINGS, {"live_max": "0"}),
        ("settings", SETTINGS, {"grace_minutes": "31"}),
        ("settings", SETTINGS, {"remind_minutes": "soon"}),
    ):
        answer = await browser.send(f"{plan}/{form}", **(fields | wrong))
        assert (answer.status_code, 'role="alert"' in answer.text) == (422, True), (form, wrong)
    overlap = await browser.send(f"{plan}/rules", **(rule | {"since": "11:00"}))
    assert overlap.status_code == 409
    assert await rows(sessions, STANDS) == before


@pytest.mark.parametrize("kind", ["closed date", "hours"])
async def test_bookings_are_called_off_only_by_who_has_seen_them(
    browser: Browser, halls: Halls, fans: list[Fan], sessions: SessionFactory, kind: str
) -> None:
    store = f"/console/queues/{halls.here.store.id}"
    path, fields = (
        (f"{store}/bookings/plan/exceptions", CLOSED)
        if kind == "closed date"
        else (f"{store}/hours", WEEK)
    )
    first = await booked(sessions, halls.here, fans[0])
    await booked(sessions, halls.far, fans[0])
    before = await rows(sessions, STANDS)
    await at_console(browser, "manager")

    asked = await browser.send(path, **fields)
    assert asked.status_code == 409
    assert "1 个预约（" in asked.text
    assert first.code in asked.text
    confirmed = confirmed_in(asked.text)
    assert confirmed == str(first.booking_id)
    # Neither a bare yes nor another's bookings will do; a program is told what it has to send.
    for guess in ("yes", str(new_id())):
        assert (await browser.send(path, **fields, confirmed=guess)).status_code == 409
    told = await browser.post(path, **fields)
    assert told.json()["code"] == "booking.would_lose_time"
    assert told.json()["detail"]["booking_ids"] == [confirmed]

    second = await booked(sessions, halls.here, fans[1])
    again = await browser.send(path, **fields, confirmed=confirmed)
    assert again.status_code == 409
    assert "又多了 1 个预约" in again.text
    assert second.code in again.text
    after = [row if row[0] != "booked" else ("booked", 3, 0) for row in before]
    assert await rows(sessions, STANDS) == after

    # Whoever called off meanwhile is no reason to ask again.
    confirmed = confirmed_in(again.text)
    await browser.see(store)
    await browser.post(f"{store}/bookings/{first.booking_id}/cancel")
    done = await browser.send(path, **fields, confirmed=confirmed)
    assert done.status_code == 303, done.text
    if kind == "closed date":
        ended = "SELECT status, is_by_store, reason FROM bookings WHERE id = :id"
        assert await rows(sessions, ended, id=second.booking_id) == [("cancelled", True, "检修")]
    else:
        events = "SELECT count(*) FROM outbox_messages WHERE topic = 'store.hours_set'"
        assert await rows(sessions, events) == [(1,)]
        mondays = "SELECT hours -> 'mon' FROM stores WHERE id = :id"
        assert await rows(sessions, mondays, id=halls.here.store.id) == [([],)]

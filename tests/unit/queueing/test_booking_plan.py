"""What can be booked when: grids, days, exceptions, hours; what is nearest; what messages mean."""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from o2o.queueing.rules.booking_arrival import Arrival, arrival_of
from o2o.queueing.rules.booking_asks import read_booking_ask, read_cancel_ask
from o2o.queueing.rules.booking_codes import ALPHABET, make_code, read_code
from o2o.queueing.rules.booking_plan import (
    BookableQueue,
    DayException,
    Plan,
    WeeklyRule,
    When,
    bookable_days,
    nearest,
    when_is,
)

ZONE = ZoneInfo("Asia/Shanghai")
QUEUE, OTHER = UUID(int=1), UUID(int=2)
SATURDAY = date(2026, 11, 21)
# Wall clocks, as messages have them.
FIRST = datetime(2000, 1, 1)  # noqa: DTZ001 - see above
LAST = datetime(2099, 12, 31)  # noqa: DTZ001 - see above
NOON = datetime(2026, 11, 20, 12, tzinfo=ZONE)


def rule(**changes: object) -> WeeklyRule:
    usual = WeeklyRule(
        rule_id=UUID(int=9),
        queue_id=QUEUE,
        weekday=5,
        since_minute=9 * 60,
        until_minute=10 * 60 + 45,
        slot_minutes=30,
        capacity=2,
        party_size_min=1,
        party_size_max=4,
    )
    return msgspec.structs.replace(usual, **changes)


def plan(*rules: WeeklyRule, **changes: object) -> Plan:
    usual = Plan(
        store_id=UUID(int=7),
        brand_id=UUID(int=8),
        store_name="厅",
        store_address="路",
        timezone="Asia/Shanghai",
        is_taking=True,
        live_max=3,
        party_size_usual=1,
        remind_minutes=60,
        early_minutes=30,
        grace_minutes=15,
        no_show_minutes=30,
        hours={"sat": [["00:00", "24:00"]]},
        hours_exceptions={},
        queues=[
            BookableQueue(
                queue_id=QUEUE, kind="service_line", code="A", name="", name_en="", rank=0
            )
        ],
        rules=rules or (rule(),),
        exceptions=(),
    )
    return msgspec.structs.replace(usual, **changes)


def grid(of: Plan, day: date = SATURDAY) -> list[tuple[str, int]]:
    return [(f"{s.starts_at:%H:%M}", s.capacity) for s in of.slots_of_day(day)]


def closed(capacity: int | None, queue_id: UUID | None = None) -> DayException:
    return DayException(
        exception_id=UUID(int=5), queue_id=queue_id, applies_on=SATURDAY, capacity=capacity
    )


def test_the_last_slot_ends_within_the_rule() -> None:
    assert grid(plan()) == [("09:00", 2), ("09:30", 2), ("10:00", 2)]
    assert grid(plan(), SATURDAY + timedelta(days=1)) == []


def test_exceptions_close_a_date_or_change_its_places() -> None:
    assert grid(plan(exceptions=[closed(None)])) == []
    assert grid(plan(exceptions=[closed(5)]))[0] == ("09:00", 5)
    assert grid(plan(exceptions=[closed(5), closed(1, QUEUE)]))[0] == ("09:00", 1)
    assert grid(plan(exceptions=[closed(5, QUEUE), closed(None)])) == []
    assert grid(plan(exceptions=[closed(None, OTHER)])) == grid(plan())


def test_nothing_is_offered_while_the_store_is_closed() -> None:
    assert grid(plan(hours={"sat": [["09:30", "10:00"]]})) == [("09:30", 2)]
    assert grid(plan(hours={"fri": [["20:00", "09:30"]]})) == [("09:00", 2)]
    assert grid(plan(hours_exceptions={"2026-11-21": []})) == []
    assert grid(plan(hours={})) == grid(plan())


def test_today_and_five_days_by_the_calendar_of_the_store() -> None:
    before_midnight = datetime(2026, 11, 20, 23, 59, tzinfo=ZONE)
    assert bookable_days(before_midnight, zone=ZONE)[-1] == date(2026, 11, 25)
    last = datetime(2026, 11, 25, 23, 30, tzinfo=ZONE)
    sixth = datetime(2026, 11, 26, 0, 0, tzinfo=ZONE)
    assert when_is(last, now=before_midnight, zone=ZONE) is When.BOOKABLE
    assert when_is(sixth, now=before_midnight, zone=ZONE) is When.TOO_FAR
    assert when_is(sixth, now=before_midnight + timedelta(minutes=1), zone=ZONE) is When.BOOKABLE
    assert when_is(NOON, now=NOON, zone=ZONE) is When.PAST


def test_of_two_times_as_near_the_later_comes_first() -> None:
    at = [NOON + timedelta(minutes=30 * step) for step in (-3, -1, 1, 2)]
    assert nearest(NOON, at) == [at[2], at[1], at[3]]
    assert nearest(NOON, []) == []


@given(st.lists(st.integers(-500, 500), max_size=20))
def test_nearest_are_three_that_no_other_is_nearer_than(minutes: list[int]) -> None:
    free = [NOON + timedelta(minutes=m) for m in minutes]
    found = nearest(NOON, free)
    assert len(found) == min(3, len(set(free)))
    rest = set(free) - set(found)
    assert all(abs(f - NOON) <= abs(r - NOON) for f in found for r in rest)


def test_an_arrival_is_early_in_time_late_or_missed() -> None:
    def at(minutes: float) -> Arrival:
        return arrival_of(
            NOON,
            now=NOON + timedelta(minutes=minutes),
            early_minutes=30,
            grace_minutes=15,
            no_show_minutes=30,
        )

    found = [at(m) for m in (-30.1, -30, 15, 15.1, 29.9, 30)]
    assert found == [
        Arrival.TOO_EARLY,
        Arrival.IN_TIME,
        Arrival.IN_TIME,
        Arrival.LATE,
        Arrival.LATE,
        Arrival.MISSED,
    ]


def test_codes_have_no_letters_that_are_mistaken() -> None:
    assert not set("01OI") & set(ALPHABET)
    code = make_code()
    assert read_code(f" {code.lower()} ") == read_code(f"#{code}") == code
    assert [read_code(text) for text in ("", "A0B1", "AB", "ABCDEFGHJ")] == [None] * 4


@given(st.datetimes(FIRST, LAST), st.booleans(), st.booleans())
def test_every_time_is_read_as_it_is_typed(at: datetime, is_wide: bool, has_mark: bool) -> None:
    text = f"{'Y#' if has_mark else 'y'}{at:%Y%m%d%H%M}"
    if is_wide:
        text = "".join(chr(ord(char) + 0xFEE0) for char in text)
    ask = read_booking_ask(text)
    assert ask is not None
    assert ask.at == at.replace(second=0, microsecond=0)


@given(st.text(max_size=45))
def test_no_text_breaks_the_reading(text: str) -> None:
    for typed in (text, f"y#{text}", f"q#{text}", f"y2026{text}"):
        read_booking_ask(typed)
        read_cancel_ask(typed)

"""May a number be taken: opening hours, distance, classes, priority and the way there."""

from datetime import UTC, datetime

import msgspec
import pytest

from o2o.crm.statuses import QueueStatus, TicketPriority, TicketSource
from o2o.kernel.geo import Point
from o2o.queueing.errors import DeskUnreadable, QueueNotOpen, QueuePaused
from o2o.queueing.rules.desks import readable_desk
from o2o.queueing.rules.taking import (
    distance_refusal,
    fitting,
    is_serving,
    opening_refusal,
    priority_of,
    size_refusal,
    travel_seconds,
)

HERE = Point(31.2236, 121.4458)
# One thousandth of a degree of latitude is 111 metres.
NEAR, FAR = Point(31.2286, 121.4458), Point(31.3136, 121.4458)
FRIDAY_NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


class Sizes(msgspec.Struct, frozen=True):
    party_size_min: int
    party_size_max: int


def refusal(status: QueueStatus, source: TicketSource, hours: dict[str, list[list[str]]]) -> object:
    return opening_refusal(
        status,
        source=source,
        now=FRIDAY_NOON,
        hours=hours,
        exceptions={},
        timezone="Asia/Shanghai",
    )


def test_the_narrowest_class_comes_first() -> None:
    wide, narrow, other = Sizes(1, 4), Sizes(2, 3), Sizes(5, 8)
    assert fitting([wide, narrow, other], 2) == [narrow, wide]
    assert fitting([wide, narrow, other], 9) == []
    assert size_refusal([wide, other]).detail == {"party_size_min": 1, "party_size_max": 8}


def test_a_store_without_hours_is_open_and_a_day_off_is_not() -> None:
    where = {"timezone": "Asia/Shanghai"}
    assert is_serving(FRIDAY_NOON, hours={}, exceptions={}, **where)
    all_day = {"fri": [["00:00", "24:00"]]}
    assert is_serving(FRIDAY_NOON, hours=all_day, exceptions={}, **where)
    assert not is_serving(FRIDAY_NOON, hours=all_day, exceptions={"2026-11-20": []}, **where)
    assert not is_serving(FRIDAY_NOON, hours={}, exceptions={"2026-11-20": []}, **where)


def test_who_booked_is_kept_out_by_a_closed_queue_only() -> None:
    evening = {"fri": [["17:00", "22:00"]]}
    opened, paused, closed = QueueStatus.OPEN, QueueStatus.PAUSED, QueueStatus.CLOSED
    early = refusal(opened, TicketSource.PAD, evening)
    assert isinstance(early, QueueNotOpen)
    assert early.next_opening_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert refusal(opened, TicketSource.BOOKING, evening) is None
    assert refusal(paused, TicketSource.BOOKING, {}) is None
    assert isinstance(refusal(paused, TicketSource.CHAT, {}), QueuePaused)
    shut = refusal(closed, TicketSource.BOOKING, {})
    assert isinstance(shut, QueueNotOpen)
    assert shut.next_opening_at is None


@pytest.mark.parametrize("source", list(TicketSource))
def test_only_numbers_from_afar_have_a_distance(source: TicketSource) -> None:
    is_from_afar = source in {TicketSource.PAGE, TicketSource.CHAT, TicketSource.LOCATION}
    assert distance_refusal(None, HERE, source=source, distance_m_max=None) is None
    assert distance_refusal(NEAR, HERE, source=source, distance_m_max=600) is None
    for at in (None, FAR):
        refused = distance_refusal(at, HERE, source=source, distance_m_max=600)
        assert (refused is not None) is is_from_afar


def test_the_way_there_is_walked_or_driven() -> None:
    assert travel_seconds(None, HERE) is None
    assert travel_seconds(HERE, HERE) == 0
    # 556 m on foot, 10,008 m by car.
    assert travel_seconds(NEAR, HERE) == 556 * 60 // 80
    assert travel_seconds(FAR, HERE) == 300 + 10_008 * 60 // 300


def test_priority_is_what_one_is_not_what_one_asks_for() -> None:
    def given(asked: str, *, member: bool = False, booked: bool = False, kind: bool = True) -> str:
        return priority_of(
            TicketPriority(asked), is_member=member, is_booked=booked, has_member_priority=kind
        ).value

    assert given("booked", booked=True) == "booked"
    assert given("booked") == "ordinary"
    assert given("member") == "ordinary"
    assert given("ordinary", member=True) == "member"
    assert given("member", member=True, kind=False) == "ordinary"
    assert given("booked", member=True) == "member"


def test_desks_are_named_readably() -> None:
    assert readable_desk(" 3\u200b 号\n窗口 ") == "3 号 窗口"
    for wrong in ("", " ", "\ud800", "x" * 13):
        with pytest.raises(DeskUnreadable):
            readable_desk(wrong)

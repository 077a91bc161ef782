"""Where one comes back after a miss, and where one from another queue fits in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from o2o.crm.statuses import TicketPriority
from o2o.queueing.rules.call_order import Turn, in_turn
from o2o.queueing.rules.places import place_by_time, spot_behind
from tests.unit.queueing.test_call_order import LETTERS

OPENED = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
STEP = 1_000
BACK = UUID(int=999)


class One(msgspec.Struct, frozen=True):
    ticket_id: UUID
    priority: TicketPriority
    place: int
    taken_at: datetime


def line(letters: str, *, first: int = 2) -> list[One]:
    return [
        One(UUID(int=n), LETTERS[letter], n * STEP, OPENED + timedelta(minutes=n))
        for n, letter in enumerate(letters, start=first)
    ]


def order_with(waiting: list[One], turn: Turn, behind: int) -> list[int]:
    """The order of calls after number 1 came back, as numbers; 0 is the one who came back."""
    spot = spot_behind(waiting, turn, behind=behind, ticket_id=BACK, place=STEP)
    back = One(BACK, spot.priority, spot.place, OPENED)
    return [0 if one is back else one.place // STEP for one in in_turn([*waiting, back], turn)]


def test_three_parties_go_first() -> None:
    assert order_with(line("ooooo"), Turn(), 3) == [2, 3, 4, 0, 5, 6]


def test_in_a_short_line_one_is_the_last() -> None:
    assert order_with(line("oo"), Turn(), 3) == [2, 3, 0]
    assert order_with([], Turn(), 3) == [0]


def test_without_parties_to_wait_for_one_is_the_next() -> None:
    assert order_with(line("oo"), Turn(), 0) == [0, 2, 3]


def test_priorities_that_are_ahead_are_counted() -> None:
    assert order_with(line("ooomb"), Turn(), 3) == [6, 5, 2, 0, 3, 4]


def test_behind_members_only_one_follows_in_their_lane() -> None:
    turn = Turn(ordinary_since_priority=0)
    assert order_with(line("mmmm"), turn, 3) == [2, 3, 4, 0, 5]


@given(
    letters=st.text("omb", max_size=12),
    behind=st.integers(0, 6),
    since=st.integers(0, 4),
    between=st.integers(1, 3),
    in_a_row=st.integers(0, 3),
)
def test_nobody_comes_back_before_those_who_are_to_go_first(
    letters: str, behind: int, since: int, between: int, in_a_row: int
) -> None:
    turn = Turn(ordinary_since_priority=since, booked_in_a_row=in_a_row, ordinary_between=between)
    waiting = line(letters)
    first = [one.place // STEP for one in in_turn(waiting, turn)][:behind]

    order = order_with(waiting, turn, behind)

    assert set(first) <= set(order[: order.index(0)])
    assert sorted(order) == [0, *range(2, 2 + len(letters))]


def test_those_who_come_back_to_one_spot_keep_their_order() -> None:
    waiting = line("oooo")
    for number in (100, 101, 102):
        spot = spot_behind(waiting, Turn(), behind=1, ticket_id=UUID(int=number), place=1)
        waiting.append(One(UUID(int=number), spot.priority, spot.place, OPENED))
    order = [one.ticket_id.int for one in in_turn(waiting, Turn())]
    assert order == [2, 100, 101, 102, 3, 4, 5]


def test_from_another_queue_one_is_placed_by_the_time_of_ones_number() -> None:
    lane = line("ooo")
    between = place_by_time(lane, OPENED + timedelta(minutes=2, seconds=30), place_last=9 * STEP)
    assert 2 * STEP < between < 3 * STEP
    assert 0 < place_by_time(lane, OPENED, place_last=9 * STEP) < 2 * STEP
    assert place_by_time(lane, OPENED + timedelta(hours=1), place_last=9 * STEP) == 9 * STEP
    assert place_by_time([], OPENED, place_last=9 * STEP) == 9 * STEP


def test_without_room_one_takes_the_next_free_place() -> None:
    lane = [
        One(UUID(int=1), TicketPriority.ORDINARY, 1, OPENED),
        One(UUID(int=2), TicketPriority.ORDINARY, 2, OPENED + timedelta(minutes=2)),
    ]
    assert place_by_time(lane, OPENED + timedelta(minutes=1), place_last=9) == 3

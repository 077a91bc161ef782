"""Whose turn is next, from the written rule; and that nobody starves, whoever else comes."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from o2o.crm.statuses import TicketPriority
from o2o.queueing.rules.call_order import (
    BOOKED_IN_A_ROW_MAX,
    SINCE_EVER,
    Turn,
    ahead_of_new,
    in_turn,
    order_of_calls,
    positions_of,
)

LETTERS = {"o": TicketPriority.ORDINARY, "m": TicketPriority.MEMBER, "b": TicketPriority.BOOKED}


class One(msgspec.Struct, frozen=True):
    ticket_id: UUID
    priority: TicketPriority
    place: int


def line(letters: str) -> list[One]:
    """A line in order of arrival: o(rdinary), m(ember), b(ooked)."""
    return [One(UUID(int=n), LETTERS[letter], n) for n, letter in enumerate(letters, start=1)]


def calls(letters: str, *, since: int = SINCE_EVER, between: int = 2, in_a_row: int = 0) -> str:
    order = order_of_calls(
        line(letters),
        ordinary_since_priority=since,
        ordinary_between=between,
        booked_in_a_row=in_a_row,
    )
    return "".join(one.priority.value[0] for one in order)


def test_alike_are_called_as_they_came() -> None:
    order = in_turn(line("ooo"), Turn())
    assert [one.place for one in order] == [1, 2, 3]
    assert positions_of(order) == {UUID(int=1): 0, UUID(int=2): 1, UUID(int=3): 2}


def test_arrived_bookings_go_first() -> None:
    assert calls("oomb") == "bmoo"
    assert calls("ooobb", since=0) == "bbooo"


def test_one_member_between_two_ordinary_parties_or_as_many_as_the_store_says() -> None:
    assert calls("ooooommm", between=2) == "moomoomo"
    assert calls("ooooommm", between=1) == "momomooo"
    assert calls("oooommm", between=3, since=1) == "oomoomm"


def test_members_follow_each_other_when_nobody_else_waits() -> None:
    assert calls("mmm", since=0) == "mmm"
    assert calls("ommm", since=0) == "ommm"


def test_after_three_bookings_in_a_row_somebody_else_is_called() -> None:
    assert calls("obbbbb", since=0) == "bbbobb"
    assert calls("obbbb", since=0, in_a_row=2) == "bobbb"
    assert calls("bbbbb", in_a_row=3) == "bbbbb"


def test_nobody_waits() -> None:
    assert calls("") == ""
    assert Turn().next_priority({}) is None


@given(
    letters=st.text("omb", max_size=25),
    since=st.integers(0, 5),
    between=st.integers(1, 4),
    in_a_row=st.integers(0, 4),
    comer=st.sampled_from("omb"),
)
def test_the_place_of_a_newcomer_follows_from_the_counts(
    letters: str, since: int, between: int, in_a_row: int, comer: str
) -> None:
    turn = Turn(ordinary_since_priority=since, booked_in_a_row=in_a_row, ordinary_between=between)
    waiting = line(letters)
    counts = {p: sum(one.priority is p for one in waiting) for p in TicketPriority}

    everybody = line(letters + comer)
    expected = in_turn(everybody, turn).index(everybody[-1])

    assert ahead_of_new(counts, LETTERS[comer], turn) == expected


@given(
    arrivals=st.lists(st.text("omb", max_size=3), max_size=40),
    between=st.integers(1, 4),
)
def test_nobody_starves_whoever_comes(arrivals: list[str], between: int) -> None:
    """One call per round while others keep coming: bounds on who is let past."""
    turn, waiting, number = Turn(ordinary_between=between), [], 0
    members_since_ordinary = booked_in_a_row = 0
    for comers in arrivals:
        for letter in comers:
            number += 1
            waiting.append(One(UUID(int=number), LETTERS[letter], number))
        if not waiting:
            continue
        called = in_turn(waiting, turn)[0]
        lane = [one for one in waiting if one.priority is called.priority]
        assert called is lane[0], "within a lane nobody is let past"
        ordinary = any(one.priority is TicketPriority.ORDINARY for one in waiting)
        others = any(one.priority is not TicketPriority.BOOKED for one in waiting)
        if called.priority is TicketPriority.ORDINARY:
            members_since_ordinary = booked_in_a_row = 0
        elif called.priority is TicketPriority.MEMBER:
            members_since_ordinary += ordinary
            booked_in_a_row = 0
            assert members_since_ordinary <= 1
        else:
            booked_in_a_row += 1
            assert booked_in_a_row <= BOOKED_IN_A_ROW_MAX or not others
        waiting.remove(called)
        turn = turn.after(called.priority)

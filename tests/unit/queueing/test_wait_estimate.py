"""How waits are told: cold and learnt, over evenings whose truth is known."""

from itertools import pairwise

import pytest

from bench.estimate import figures_of, judge, past_day
from bench.evenings import DAYS_LEARNT, classes_of_store
from o2o.queueing.rules.notices import in_words
from o2o.queueing.rules.table_stays import Seated, Stays, Watch, departures, wait_for
from o2o.queueing.rules.wait_estimate import ColdModel, WaitEstimate, rounded_minutes
from o2o.queueing.rules.wait_learning import PastDay, PastWait, learn

MINUTE = 60.0
STAYS = Stays(4, 40 * MINUTE, 0.2, 0.9, [1.0] * 36, [1.0] * 7)


@pytest.mark.parametrize(
    "seconds, minutes",
    [(0, 0), (-5, 0), (1, 5), (300, 5), (449, 5), (450, 10), (3600, 60), (3749, 60), (3750, 65)],
)
def test_minutes_are_full_fives(seconds: int, minutes: int) -> None:
    assert rounded_minutes(seconds) == minutes


def test_a_queue_without_a_history_shares_its_minutes_among_its_servers() -> None:
    model = ColdModel(minutes_per_party=40, servers=8)

    assert model.estimate(0) == WaitEstimate(0, 0, 0)
    assert model.estimate(4) == WaitEstimate(600, 1200, 2160)
    # No guess goes beyond an evening.
    assert model.estimate(65) == WaitEstimate(9750, 19500, 21600)
    assert model.estimate(5000) == WaitEstimate(10800, 21600, 21600)


@pytest.mark.parametrize(
    "minutes, told",
    [
        ((0, 5), ("minutes", "0", "5")),
        ((45, 120), ("minutes", "45", "120")),
        ((45, 125), ("hours", "0.5", "2.5")),
        ((120, 180), ("hours", "2", "3")),
        ((20, 130), ("hours", "0", "2.5")),
    ],
)
def test_long_waits_are_told_in_hours(minutes: tuple[int, int], told: tuple[str, ...]) -> None:
    said = in_words(*minutes)
    assert (said.unit, said.low, said.high) == told
    assert said.is_from_now == (told[1] == "0")


def seated(*minutes: float) -> Watch:
    watch = Watch(STAYS, weekday=0)
    for at in minutes:
        watch.seat(Seated(at * MINUTE, had_to_wait=False))
    return watch


def test_a_full_class_gives_its_places_back_one_stay_after_they_were_taken() -> None:
    tables = seated(0, 10, 20, 30).tables()

    given = departures(tables, STAYS, now=31 * MINUTE, weekday=0, until_places=4)

    first, second = (wait_for(given, parties_ahead=n, come_share=1.0) for n in (0, 1))
    assert first == pytest.approx(9 * MINUTE, abs=4 * MINUTE)
    assert second == pytest.approx(19 * MINUTE, abs=4 * MINUTE)


def test_whoever_is_behind_more_parties_waits_longer() -> None:
    given = departures(
        seated(0, 10, 20, 30).tables(), STAYS, now=31 * MINUTE, weekday=0, until_places=30
    )

    waits = [wait_for(given, parties_ahead=n, come_share=0.9) for n in range(25)]

    assert all(later > earlier for earlier, later in pairwise(waits))


def test_a_call_takes_one_party_away_most_likely_the_one_that_sat_longest() -> None:
    watch = seated(0, 10, 20, 30)

    watch.seat(Seated(41 * MINUTE, had_to_wait=True))

    tables = watch.tables()
    assert sum(tables.weights) == pytest.approx(4)
    weights = dict(zip(tables.since, tables.weights, strict=True))
    assert weights.get(0.0, 0.0) < weights[10 * MINUTE] < weights[30 * MINUTE]


def test_more_parties_than_places_means_that_some_have_left() -> None:
    tables = seated(0, 10, 20, 30, 60, 70).tables()

    assert sum(tables.weights) == pytest.approx(4)


def test_an_evening_nobody_left_is_told_as_long_not_as_an_error() -> None:
    given = departures(
        Watch(STAYS, weekday=0).tables(), STAYS, now=0.0, weekday=0, until_places=500
    )

    assert wait_for(given, parties_ahead=400, come_share=1.0) > 8 * 3600


def test_too_few_waits_teach_nothing() -> None:
    day = PastDay(0, [PastWait(0.0, 1, 600.0, True)] * 59)

    assert learn([day], servers=4) is None
    assert learn([], servers=4) is None


def test_a_lunch_that_is_quicker_than_dinner_is_learnt() -> None:
    learnt = learn([_two_paces(day) for day in range(20)], servers=4)

    assert learnt is not None
    lunch = learnt.stays.median_of(11.6 * 3600, 2)
    dinner = learnt.stays.median_of(18.6 * 3600, 2)
    # Twice as long; twenty days move the usual stay most of the way there.
    assert 1.45 < dinner / lunch < 2.1


def _two_paces(day: int) -> PastDay:
    """Four tables that turn over every thirty minutes at noon, every sixty in the evening."""
    waits = []
    for opens, stay in ((11.0, 30), (18.0, 60)):
        for number in range(20):
            called_at = opens * 3600 + number // 4 * stay * MINUTE + number % 4 * stay * 15
            taken_at = called_at - (0 if number < 4 else 15 * MINUTE)
            waits.append(PastWait(taken_at, 0 if number < 4 else 2, called_at, True))
    return PastDay(day % 7, waits)


def test_simulated_evenings_fall_into_the_ranges_and_near_the_middles() -> None:
    of = classes_of_store(0)[0]

    figures = figures_of(list(judge(0, of)))

    # A single class; `python -m bench.estimate` judges ninety of them.
    assert 0.72 <= figures.inside <= 0.88
    assert figures.gain >= 0.2


def test_a_store_that_miscounts_its_tables_is_set_right_by_its_queue() -> None:
    of = classes_of_store(0)[0]
    days = [past_day(0, day, of) for day in range(0, DAYS_LEARNT, 2)]

    learnt = learn(days, servers=of.tables * 3 // 2)

    assert learnt is not None
    assert abs(learnt.stays.places - of.tables) <= 2

"""Who probably still sits at the tables of a class, and when the next of them will be free.

Nobody tells us which table was given back, only that one was: the next party was called. So every
party that sat down is kept with the probability that it still sits there; a call takes one whole
party away, shared out by how likely each was to get up at that moment. Stays are lognormal, as
measured stays in restaurants are. Times are seconds of the business day.

Method and measure: docs/algorithms/queue-estimate.md.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import erf, log, sqrt

import msgspec

# How fine the coming hours are looked at.
TICK_SECONDS = 120
# How far ahead; a longer wait is told as this.
TICKS_AHEAD = 8 * 30
# A party that sits here with less probability is forgotten.
FORGOTTEN_BELOW = 0.02
# So many usual departures count beside tonight's own when tonight's pace is judged.
PRIOR_DEPARTURES = 60
# What happened longer ago says less of tonight: the weight of each departure after the next.
MEMORY = 0.95
SLOWNESS_MIN, SLOWNESS_MAX = 0.6, 2.0
# Hours of a business day, counted from the midnight of its date: late guests sit past it.
HOURS = 36
# Ages are counted in ticks of a table of the distribution, up to ten times the median.
_GRID_PER_MEDIAN = 60
_GRID = 10 * _GRID_PER_MEDIAN
# Probabilities below which nothing is left to reckon with.
_NONE = 1e-6
_NEGLIGIBLE = 1e-4


class Stays(msgspec.Struct, frozen=True):
    """How long parties stay in a class: places, the median in seconds, the spread of the log."""

    places: int
    median_seconds: float
    spread: float
    # Of those called, how many come, from 0 to 1.
    come_share: float
    # By how much parties stay longer or shorter that sit down in an hour of the business
    # day, and on a weekday from Monday.
    by_hour: list[float]
    by_weekday: list[float]
    # Departures expected for each one seen, on a usual day: what tonight is compared with.
    departures_usual: float = 1.0

    def median_of(self, since: float, weekday: int) -> float:
        """Return the median stay, in seconds, of who sat down then."""
        hour = min(max(int(since // 3600), 0), HOURS - 1)
        return self.median_seconds * self.by_hour[hour] * self.by_weekday[weekday]


class Seated(msgspec.Struct, frozen=True):
    """A party that sat down: when, and whether it had waited for a place to be given back."""

    at: float
    had_to_wait: bool


class Tables(msgspec.Struct, frozen=True):
    """The tables at one moment: since when parties sit there, how probably, how slow tonight is."""

    since: list[float]
    weights: list[float]
    # The median stay of each, as usual.
    medians: list[float]
    slowness: float = 1.0


@lru_cache(maxsize=64)
def _gone_by(spread: float) -> list[float]:
    """The share of parties gone by an age, in sixtieths of the median stay."""
    root = spread * sqrt(2)
    return [0.0] + [
        0.5 * (1 + erf(log(step / _GRID_PER_MEDIAN) / root)) for step in range(1, _GRID + 1)
    ]


def _gone(grid: Sequence[float], age: float, median: float) -> float:
    position = age * _GRID_PER_MEDIAN / median
    if position <= 0:
        return 0.0
    lower = int(position)
    if lower >= _GRID:
        return grid[_GRID]
    return grid[lower] + (position - lower) * (grid[lower + 1] - grid[lower])


def _leaves(grid: Sequence[float], ages: tuple[float, float], median: float) -> float:
    """The probability that who sits at the first age is gone at the second."""
    age, later = ages
    before = _gone(grid, age, median)
    left = 1 - before
    return 1.0 if left < _NONE else (_gone(grid, later, median) - before) / left


class Watch:
    """Follows one class through an evening, call by call."""

    def __init__(self, stays: Stays, *, weekday: int) -> None:
        """Begin with empty tables on a weekday, 0 for Monday."""
        self._stays = stays
        self._weekday = weekday
        self._medians: list[float] = []
        self._grid = _gone_by(stays.spread)
        self._since: list[float] = []
        self._weights: list[float] = []
        self._last_call: float | None = None
        self._expected = 0.0
        self._seen = 0.0
        # Over the whole evening, nothing forgotten.
        self.expected_in_all = 0.0
        self.seen_in_all = 0

    def seat(self, party: Seated) -> None:
        """Take note that a party sat down; calls come in their order."""
        if party.had_to_wait:
            self._give_back(party.at)
        self._since.append(party.at)
        self._weights.append(1.0)
        self._medians.append(self._stays.median_of(party.at, self._weekday))
        excess = sum(self._weights) - self._stays.places
        if excess > 0:
            self._leave_unseen(excess, party.at)
        self._forget()

    def tables(self) -> Tables:
        """Return the tables as they are now."""
        usual = self._seen * self._stays.departures_usual
        slowness = (self._expected + PRIOR_DEPARTURES) / (usual + PRIOR_DEPARTURES)
        return Tables(
            list(self._since),
            list(self._weights),
            list(self._medians),
            min(max(slowness, SLOWNESS_MIN), SLOWNESS_MAX),
        )

    def _give_back(self, at: float) -> None:
        """Somebody got up: one place in all, shared out by how likely each was to."""
        # Who had just sat down did not get up; the last minutes decide.
        likely = [
            weight * _leaves(self._grid, (max(0.0, at - since - TICK_SECONDS), at - since), median)
            for since, weight, median in self._parties()
        ]
        if self._last_call is not None:
            expected = self._expected_until(at)
            self._expected = MEMORY * self._expected + expected
            self._seen = MEMORY * self._seen + 1
            self.expected_in_all += expected
            self.seen_in_all += 1
        self._last_call = at
        self._take(likely, 1.0)

    def _expected_until(self, at: float) -> float:
        began = self._last_call or at
        return sum(
            weight * _leaves(self._grid, (began - since, at - since), median)
            for since, weight, median in self._parties()
        )

    def _leave_unseen(self, excess: float, at: float) -> None:
        """More sit than there are places: some left while nobody waited."""
        self._last_call = None
        likely = [
            weight * _gone(self._grid, at - since, median)
            for since, weight, median in self._parties()
        ]
        self._take(likely, excess)

    def _take(self, likely: Sequence[float], wanted: float) -> None:
        """Take `wanted` parties away in proportion, the oldest first where nobody is likely."""
        for _ in range(3):
            total = sum(likely)
            if total <= _NONE:
                break
            share = wanted / total
            taken = [
                min(weight, one * share) for weight, one in zip(self._weights, likely, strict=True)
            ]
            self._weights = [w - t for w, t in zip(self._weights, taken, strict=True)]
            wanted -= sum(taken)
            likely = [one if w > 0 else 0.0 for w, one in zip(self._weights, likely, strict=True)]
            if wanted <= _NONE:
                return
        for index, weight in enumerate(self._weights):
            taken_here = min(weight, wanted)
            self._weights[index] -= taken_here
            wanted -= taken_here

    def _parties(self) -> Iterator[tuple[float, float, float]]:
        return zip(self._since, self._weights, self._medians, strict=True)

    def _forget(self) -> None:
        kept = [party for party in self._parties() if party[1] >= FORGOTTEN_BELOW]
        self._since = [since for since, _, _ in kept]
        self._weights = [weight for _, weight, _ in kept]
        self._medians = [median for _, _, median in kept]


def departures(
    tables: Tables, stays: Stays, *, now: float, weekday: int, until_places: float
) -> list[float]:
    """Return how many places are given back by every two minutes from now, as a rising list.

    It ends when `until_places` are, or after eight hours. Who sits down on a place given back
    gives it back again; of a place nobody is known to sit at, only the usual pace is known.
    """
    grid = _gone_by(stays.spread)
    slow = tables.slowness
    new_median = stays.median_of(now, weekday) * slow
    unknown_pace = max(0.0, stays.places - sum(tables.weights)) * TICK_SECONDS / new_median
    seated = [
        (now - since, weight, median * slow, 1 - _gone(grid, now - since, median * slow))
        for since, weight, median in zip(tables.since, tables.weights, tables.medians, strict=True)
    ]
    given: list[float] = [0.0]
    news: list[float] = [0.0]
    # The share of a new party that is gone after so many ticks.
    fresh: list[float] = [0.0]
    for tick in range(1, TICKS_AHEAD + 1):
        ahead = tick * TICK_SECONDS
        fresh.append(_gone(grid, ahead, new_median))
        total = tick * unknown_pace
        for age, weight, median, left in seated:
            gone = _gone(grid, age + ahead, median)
            total += weight * (1.0 if left < _NONE else 1 - (1 - gone) / left)
        for sat in range(1, tick):
            share = fresh[tick - sat]
            if share < _NEGLIGIBLE:
                # And whoever sat down later still less.
                break
            total += news[sat] * share
        news.append(max(0.0, total - given[-1]))
        given.append(max(total, given[-1]))
        if total >= until_places:
            break
    return given


def wait_for(given: Sequence[float], *, parties_ahead: int, come_share: float) -> float:
    """Return in how many seconds a party with so many ahead gets its place, by expectation."""
    # Half a place more than those ahead: as likely sooner as later.
    wanted = parties_ahead * come_share + 0.5
    tick = bisect_left(given, wanted)
    if tick == 0:
        return 0.0
    if tick >= len(given):
        return (len(given) - 1) * TICK_SECONDS * wanted / max(given[-1], _NONE)
    step = given[tick] - given[tick - 1]
    return (tick - 1 + (wanted - given[tick - 1]) / step) * TICK_SECONDS

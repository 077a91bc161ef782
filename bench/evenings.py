"""Simulated evenings: parties that arrive, wait for a table of their class, eat and go.

The truth is known here, which no restaurant can say: everybody's wait is what the simulation did.
Every figure below is a parameter of the comparison; seeds make the evenings the same on every
machine with the same Python.
"""

import heapq
import random
from collections.abc import Iterator
from math import exp, log
from typing import NamedTuple

SEED = 20261122
STORES = 30
DAYS_LEARNT = 60
DAYS_JUDGED = 20
NO_SHOW_SHARE = 0.08
# How long a table is kept for who was called and does not come, in seconds.
GIVEN_UP_AFTER = 180
# Stores (by number) whose kitchen is slow on one judged night: tables are kept so much longer.
SLOW_STORES = (3, 17)
SLOW_NIGHT_FACTOR = 1.5
OPENS = 17 * 3600
CLOSES = 22 * 3600
# The rush curve: arrivals per hour relative to the evening's mean, by half hour from 17:00.
RUSH = (0.7, 1.6, 2.0, 1.4, 1.2, 1.4, 0.9, 0.45, 0.2, 0.15)
# Weekdays from Monday; Friday and Saturday are full.
WEEKDAYS = (0.85, 0.85, 0.9, 0.95, 1.2, 1.3, 1.05)


class TableClass(NamedTuple):
    """A class of tables: how many, how long a party stays (median, seconds; spread of the log)."""

    code: str
    tables: int
    stay_median: float
    stay_spread: float
    # Parties of an evening per table, on a day of weight 1.
    turns: float


class Party(NamedTuple):
    """What happened to a party, in seconds of its day."""

    taken_at: float
    # Waiting parties of its class when it came.
    ahead: int
    called_at: float
    is_seated: bool
    # Whether a table was free when it came.
    at_once: bool


def classes_of_store(store: int) -> list[TableClass]:
    """Return the table classes of a store: small ones turn faster than large ones."""
    rng = random.Random(f"{SEED}/store/{store}")
    return [
        TableClass("A", rng.randint(10, 18), 60 * rng.uniform(38, 52), 0.24, rng.uniform(3.7, 4.6)),
        TableClass("B", rng.randint(8, 14), 60 * rng.uniform(50, 68), 0.26, rng.uniform(3.0, 3.7)),
        TableClass("C", rng.randint(4, 8), 60 * rng.uniform(70, 95), 0.28, rng.uniform(2.2, 2.8)),
    ]


def is_slow_night(store: int, day: int) -> bool:
    """Whether the kitchen is slow: once per slow store, within the judged days."""
    return store in SLOW_STORES and day == DAYS_LEARNT + 4 + store % 7


def evening(store: int, day: int, of: TableClass) -> list[Party]:
    """Play one evening of a class; `day` counts from the first day learnt, a Monday."""
    rng = random.Random(f"{SEED}/{store}/{day}/{of.code}")
    slowness = SLOW_NIGHT_FACTOR if is_slow_night(store, day) else 1.0
    busy: list[float] = []
    waiting: list[tuple[int, float, int]] = []
    lived: dict[int, Party] = {}
    for number, at in enumerate(_arrivals(rng, of, day)):
        _serve_until(at, rng, of, slowness, busy, waiting, lived)
        ahead = len(waiting)
        if len(busy) < of.tables and not waiting:
            lived[number] = Party(at, 0, at, True, True)
            heapq.heappush(busy, at + _stay(rng, of, slowness))
        else:
            waiting.append((number, at, ahead))
    _serve_until(float("inf"), rng, of, slowness, busy, waiting, lived)
    return [lived[number] for number in sorted(lived)]


def _serve_until(  # noqa: PLR0917 - the state of one evening
    until: float,
    rng: random.Random,
    of: TableClass,
    slowness: float,
    busy: list[float],
    waiting: list[tuple[int, float, int]],
    lived: dict[int, Party],
) -> None:
    """Let tables become free up to a moment, and call whoever is next for each."""
    while busy and busy[0] <= until:
        at = heapq.heappop(busy)
        if not waiting:
            continue
        number, taken_at, ahead = waiting.pop(0)
        comes = rng.random() >= NO_SHOW_SHARE
        lived[number] = Party(taken_at, ahead, at, comes, False)
        stays = _stay(rng, of, slowness) if comes else GIVEN_UP_AFTER
        heapq.heappush(busy, at + stays)


def _stay(rng: random.Random, of: TableClass, slowness: float) -> float:
    return slowness * exp(rng.gauss(log(of.stay_median), of.stay_spread))


def _arrivals(rng: random.Random, of: TableClass, day: int) -> Iterator[float]:
    """Draw arrivals by the rush curve, thinned from its peak."""
    weight = WEEKDAYS[day % 7] * rng.uniform(0.9, 1.1)
    mean_per_second = of.tables * of.turns * weight / (CLOSES - OPENS)
    peak = mean_per_second * max(RUSH)
    at = float(OPENS)
    while (at := at + rng.expovariate(peak)) < CLOSES:
        if rng.random() * max(RUSH) <= RUSH[int((at - OPENS) // 1800)]:
            yield at

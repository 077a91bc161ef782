"""When a member comes, to which store, and what the bill is: drawn from the habits of the place."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

import msgspec

from o2o.app.demo.people import (
    MINUTES_AFTER_OPENING,
    MINUTES_BEFORE_CLOSING,
    Person,
    local_day,
    moment,
)
from o2o.app.demo.shapes import Daypart, Habits, Store, Weighted, minutes_between
from o2o.app.demo.world import World

_DAYS_PER_PERIOD = 30
_SATURDAY = 6
_PERCENT = 100
_FEN_PER_YUAN = 100

# A part of the day as far as the store is open, in minutes from midnight.
_Window = tuple[Daypart, int, int]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One bill, before any discount; `at` is the UTC moment it is paid."""

    store: Store
    at: datetime
    bill_fen: int


def visits_of(world: World, person: Person, rng: Random, *, now: datetime) -> Iterator[Visit]:
    """Yield a person's visits in order, from the day after joining to the day before `now`'s."""
    member = person.member
    home = world.store(member.home_store)
    habits = world.habits[world.brand(member.brand).kind]
    rate = person.visits_per_30_days or drawn(habits.visits_per_30_days, rng)
    party_percent = drawn(habits.party_percent, rng)
    today = local_day(now, home)
    midnight = moment(home, today, minute=0)
    day = local_day(member.joined_at, home) + timedelta(days=1)
    while day < today:
        if _comes_on(day, habits, rate=rate, rng=rng):
            store = _store_of_the_day(world, home, habits=habits, rng=rng)
            visit = _visit(store, day, habits, party_percent=party_percent, rng=rng)
            # A night out that ends after midnight is today's, and today has no past yet.
            if visit is not None and visit.at < midnight:
                yield visit
        day += timedelta(days=1)


def drawn(choices: tuple[Weighted, ...], rng: Random) -> int:
    """Draw one value by weight."""
    weights = [choice.weight for choice in choices]
    return rng.choices(choices, weights=weights)[0].value


def _comes_on(day: date, habits: Habits, *, rate: int, rng: Random) -> bool:
    weights = habits.weekday_weights
    share = rate * len(weights) * weights[day.isoweekday() - 1]
    return rng.randrange(_DAYS_PER_PERIOD * sum(weights)) < share


def _store_of_the_day(world: World, home: Store, *, habits: Habits, rng: Random) -> Store:
    draw = rng.randrange(_PERCENT)
    if draw < habits.home_store_percent:
        return home
    near = draw < habits.home_store_percent + habits.same_city_percent
    others = [
        store
        for store in world.stores_of(home.brand)
        if store.code != home.code and (store.city == home.city) is near
    ]
    return rng.choice(others) if others else home


def _windows(store: Store, day: date, dayparts: tuple[Daypart, ...]) -> list[_Window]:
    windows = []
    for daypart in dayparts:
        starts, ends = minutes_between(daypart.starts, daypart.ends)
        for opens, closes in store.spans_on(day):
            first = max(starts, opens + MINUTES_AFTER_OPENING)
            last = min(ends, closes - MINUTES_BEFORE_CLOSING)
            if first < last:
                windows.append((daypart, first, last))
    return windows


def _visit(
    store: Store, day: date, habits: Habits, *, party_percent: int, rng: Random
) -> Visit | None:
    is_weekend = day.isoweekday() >= _SATURDAY
    windows = _windows(store, day, habits.dayparts)
    if not windows:
        return None
    weights = [
        daypart.weekend_weight if is_weekend else daypart.weekday_weight
        for daypart, _, _ in windows
    ]
    daypart, first, last = rng.choices(windows, weights=weights)[0]
    percent = habits.weekend_amount_percent if is_weekend else _PERCENT
    # Two draws averaged: most bills lie in the middle, few at the ends.
    ordinary = rng.randint(daypart.yuan_min, daypart.yuan_max)
    ordinary += rng.randint(daypart.yuan_min, daypart.yuan_max)
    yuan = max(1, ordinary * party_percent * percent // (2 * _PERCENT * _PERCENT))
    minute, second = rng.randrange(first, last), rng.randrange(60)
    return Visit(
        store=store,
        at=moment(store, day, minute=minute, second=second),
        bill_fen=yuan * _FEN_PER_YUAN + rng.choice(habits.price_endings_fen),
    )

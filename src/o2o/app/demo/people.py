"""The demo's members: two hundred people drawn from a seed, the same ones every time."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from o2o.app.demo.shapes import MINUTES_PER_DAY, Brand, CastMember, Ending, PeopleParts, Store
from o2o.app.demo.world import World

# Joining takes place a while after opening, and early enough to pay in before closing.
MINUTES_AFTER_OPENING = 20
MINUTES_BEFORE_CLOSING = 15

_MONTHS_PER_YEAR = 12
_PERCENT = 100
_SERIAL_DIGITS = 9
_PHONE_SUFFIXES = 10_000
_NAME_PARTS_DOT = "\u00b7"


class DemoMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of one brand; `tier`, `brand` and `home_store` are codes, `joined_at` is UTC."""

    ref: str
    name: str
    salutation: str
    phone: str
    card_no: str
    brand: str
    home_store: str
    tier: str
    joined_at: datetime
    birthday: date
    is_named: bool


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A member on the day of joining, and what is settled about the life ahead."""

    member: DemoMember
    ending: Ending
    visits_per_30_days: int | None


def dice(world: World, *names: str) -> Random:
    """Return the generator of one matter, so that no other matter's draws can shift it."""
    # Seeding by text goes through SHA-512: alike on every machine, whatever the hash seed.
    return Random("/".join((world.generation.seed, *names)))  # noqa: S311 - a demo, not a secret


def with_check_digit(digits: str) -> str:
    """Append the Luhn digit (ISO/IEC 7812-1, annex B), which catches a mistyped card number."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * 2 if position % 2 == 0 else int(digit)
        total += value - 9 if value > 9 else value
    return f"{digits}{-total % 10}"


def local_day(now: datetime, store: Store) -> date:
    """Return the calendar day it is at the store. Raises ValueError for a naive time."""
    if now.tzinfo is None:
        msg = "the present moment must know its time zone"
        raise ValueError(msg)
    return now.astimezone(ZoneInfo(store.timezone)).date()


def moment(store: Store, day: date, *, minute: int, second: int = 0) -> datetime:
    """Return a UTC instant from the store's wall clock; minutes beyond 1,440 are the next day's."""
    midnight = datetime.combine(day, time(), ZoneInfo(store.timezone))
    return (midnight + timedelta(minutes=minute, seconds=second)).astimezone(UTC)


def months_before(day: date, months: int) -> date:
    """Go back calendar months, to the month's last day where it is shorter."""
    year, month = divmod(day.year * _MONTHS_PER_YEAR + day.month - 1 - months, _MONTHS_PER_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def chance(rng: Random, percent: int) -> bool:
    """Whether a draw of that many in a hundred comes true."""
    return rng.randrange(_PERCENT) < percent


def draw_people(world: World, *, now: datetime) -> tuple[Person, ...]:
    """Return everybody in the order of `ref`; only `joined_at` depends on the day of `now`."""
    count = sum(brand.member_count for brand in world.brands)
    suffixes = iter(dice(world, "phones").sample(range(_PHONE_SUFFIXES), count))
    return tuple(
        person for brand in world.brands for person in _people_of(world, brand, suffixes, now=now)
    )


def _people_of(
    world: World, brand: Brand, suffixes: Iterator[int], *, now: datetime
) -> Iterator[Person]:
    serials = dice(world, brand.slug, "cards").sample(range(10**_SERIAL_DIGITS), brand.member_count)
    for index, (entry, serial) in enumerate(zip(_entries(world, brand), serials, strict=True)):
        ref = f"{brand.slug}-{index + 1:03d}"
        rng = dice(world, ref, "person")
        home = _home(world, entry, rng)
        family_name = family_name_of(entry.name, world.people)
        birthday = _birthday(world.people, rng)
        yield Person(
            member=DemoMember(
                ref=ref,
                name=entry.name,
                salutation=brand.salutation.format(family_name=family_name),
                phone=f"{world.people.phone_prefix}{next(suffixes):04d}",
                card_no=with_check_digit(f"{brand.card_prefix}{serial:0{_SERIAL_DIGITS}d}"),
                brand=brand.slug,
                home_store=home.code,
                tier=brand.tiers[0].code,
                joined_at=_joining(world, home, entry, ref=ref, now=now),
                birthday=entry.birthday or birthday,
                is_named=entry.is_named,
            ),
            ending=entry.ending,
            visits_per_30_days=entry.visits_per_30_days,
        )


def _entries(world: World, brand: Brand) -> Iterator[CastMember]:
    # Whoever is not in the cast differs from it only in being drawn altogether.
    cast = [entry for entry in world.cast if entry.brand == brand.slug]
    yield from cast
    rng = dice(world, brand.slug, "names")
    extras = brand.member_count - len(cast)
    named_extras = world.named_count(brand) - sum(entry.is_named for entry in cast)
    named = set(rng.sample(range(extras), named_extras))
    for index in range(extras):
        name = _full_name(world.people, rng)
        yield CastMember(brand=brand.slug, name=name, is_named=index in named)


def _full_name(parts: PeopleParts, rng: Random) -> str:
    draw = rng.randrange(_PERCENT)
    if draw < parts.compound_percent:
        family_name = rng.choice(parts.family_names_compound)
    elif draw < parts.compound_percent + parts.common_percent:
        family_name = rng.choice(parts.family_names_common)
    else:
        family_name = rng.choice(parts.family_names_other)
    if chance(rng, parts.two_character_percent):
        return family_name + rng.choice(parts.given_single)
    first, second = rng.choice(parts.given_first), rng.choice(parts.given_second)
    return f"{family_name}{first}{second}"


def family_name_of(name: str, parts: PeopleParts) -> str:
    """Return what a person is addressed by: the family name, or the first of dotted names."""
    if _NAME_PARTS_DOT in name:
        return name.split(_NAME_PARTS_DOT, maxsplit=1)[0]
    compound = next((n for n in parts.family_names_compound if name.startswith(n)), None)
    return compound or name[0]


def _home(world: World, entry: CastMember, rng: Random) -> Store:
    stores = world.stores_of(entry.brand)
    # A larger place has more regulars. Drawn even where the cast settles it, so that settling
    # one person's store does not change the birthday drawn after it.
    drawn = rng.choices(stores, weights=[store.seats for store in stores])[0]
    return world.store(entry.home_store) if entry.home_store is not None else drawn


def _birthday(parts: PeopleParts, rng: Random) -> date:
    first = date(parts.birth_year_min, 1, 1)
    days = (date(parts.birth_year_max, 12, 31) - first).days
    return first + timedelta(days=rng.randrange(days + 1))


def _joining(world: World, home: Store, entry: CastMember, *, ref: str, now: datetime) -> datetime:
    rng = dice(world, ref, "joining")
    today = local_day(now, home)
    earliest = months_before(today, world.generation.months)
    days_ago_max = (today - earliest).days
    days_ago = entry.joined_days_ago or rng.randint(1, days_ago_max)
    # On a day when the place was shut, the nearest open day instead: earlier, else later.
    shifts = sorted(range(-6, 7), key=lambda shift: (shift < 0, abs(shift)))
    for ago in (days_ago + shift for shift in shifts):
        day = today - timedelta(days=ago)
        windows = joining_windows(home, day) if 1 <= ago <= days_ago_max else []
        if windows:
            opens, closes = rng.choice(windows)
            minute = rng.randrange(opens, closes)
            return moment(home, day, minute=minute, second=rng.randrange(60))
    msg = f"{home.code} is never open"
    raise ValueError(msg)


def joining_windows(store: Store, day: date) -> list[tuple[int, int]]:
    """Return when a card can be opened on that day, in minutes from its midnight."""
    windows = [
        (
            opens + MINUTES_AFTER_OPENING,
            min(closes, MINUTES_PER_DAY) - MINUTES_BEFORE_CLOSING,
        )
        for opens, closes in store.spans_on(day)
    ]
    return [window for window in windows if window[0] < window[1]]

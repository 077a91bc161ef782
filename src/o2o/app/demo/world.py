"""The demo's world: its TOML read, checked to hang together, and asked questions."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from o2o.app.demo.menu import Dish
from o2o.app.demo.shapes import (
    MINUTES_PER_DAY,
    Brand,
    BrandKind,
    CastMember,
    Generation,
    Group,
    Habits,
    Limits,
    OfficialAccount,
    PeopleParts,
    StaffMember,
    Store,
    Written,
)
from o2o.app.demo.shapes_queues import Queueing


class World(Written, frozen=True):
    """Everything the demo is made of, checked to hang together."""

    group: Group
    limits: Limits
    generation: Generation
    people: PeopleParts
    habits: dict[BrandKind, Habits]
    brands: Annotated[tuple[Brand, ...], Meta(min_length=1)]
    accounts: tuple[OfficialAccount, ...]
    stores: tuple[Store, ...]
    staff: tuple[StaffMember, ...]
    cast: tuple[CastMember, ...]
    dishes: tuple[Dish, ...] = ()
    queueing: tuple[Queueing, ...] = ()

    def brand(self, slug: str) -> Brand:
        """Return a brand by its slug. Raises KeyError."""
        return {brand.slug: brand for brand in self.brands}[slug]

    def store(self, code: str) -> Store:
        """Return a store by its code. Raises KeyError."""
        return {store.code: store for store in self.stores}[code]

    def account_of(self, brand_slug: str) -> OfficialAccount:
        """Return the brand's official account. Raises KeyError."""
        return {account.brand: account for account in self.accounts}[brand_slug]

    def named_count(self, brand: Brand) -> int:
        """Return how many of the brand's members have a verified card, rounded down."""
        return brand.member_count * self.generation.named_percent // 100

    def stores_of(self, brand_slug: str) -> tuple[Store, ...]:
        """Return the brand's stores in the order they are written."""
        return tuple(store for store in self.stores if store.brand == brand_slug)

    def counter_logins(self, store: Store) -> tuple[str, ...]:
        """Return who takes money at this store: its clerks, or its managers where it has none."""
        for role in ("clerk", "manager"):
            logins = tuple(p.login for p in self.staff if p.role == role and p.covers(store))
            if logins:
                return logins
        return ()


def _require(fact: bool, message: str) -> None:
    if not fact:
        raise ValueError(message)


def _require_unique(what: str, values: Iterable[str]) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    _require(not repeated, f"{what} written more than once: {repeated}")


def _check_names(world: World) -> None:
    _require_unique("brand", (brand.slug for brand in world.brands))
    _require_unique("card prefix", (brand.card_prefix for brand in world.brands))
    _require_unique("account", (account.slug for account in world.accounts))
    _require_unique("store code", (store.code for store in world.stores))
    _require_unique("store name", (store.name for store in world.stores))
    _require_unique("login", (person.login for person in world.staff))
    _require_unique("queues of", (queueing.brand for queueing in world.queueing))
    _require_unique("dish", (f"{dish.brand}/{dish.code}" for dish in world.dishes))
    known = {brand.slug for brand in world.brands}
    named = [
        *(account.brand for account in world.accounts),
        *(store.brand for store in world.stores),
        *(person.brand for person in world.staff),
        *(person.brand for person in world.cast),
        *(dish.brand for dish in world.dishes),
        *(queueing.brand for queueing in world.queueing),
    ]
    unknown = sorted(set(named) - known)
    _require(not unknown, f"no such brand: {unknown}")


def _check_brand(world: World, brand: Brand) -> None:
    thresholds = [tier.spend_from_fen for tier in brand.tiers]
    _require(thresholds[0] == 0, f"{brand.slug}: the first tier starts at nothing spent")
    _require(
        all(lower < upper for lower, upper in pairwise(thresholds)),
        f"{brand.slug}: tiers rise",
    )
    principals = [package.principal_fen for package in brand.top_ups]
    _require(principals == sorted(set(principals)), f"{brand.slug}: top-ups rise")
    _require(brand.kind in world.habits, f"{brand.slug}: no habits for a {brand.kind}")
    weights = world.habits[brand.kind].top_up_weights
    _require(len(weights) == len(principals), f"{brand.slug}: one weight for each top-up")
    _require(bool(world.stores_of(brand.slug)), f"{brand.slug}: at least one store")
    cast = [person for person in world.cast if person.brand == brand.slug]
    _require(len(cast) <= brand.member_count, f"{brand.slug}: more cast than members")
    accounts = [account for account in world.accounts if account.brand == brand.slug]
    _require(len(accounts) == 1, f"{brand.slug}: one official account")
    named = sum(person.is_named for person in cast)
    _require(
        named <= world.named_count(brand) <= named + brand.member_count - len(cast),
        f"{brand.slug}: the cast leaves no way to the share of verified cards",
    )


def _are_apart(store: Store) -> bool:
    # The week is a ring: Sunday's night runs into Monday.
    spans = sorted(
        (opens + (weekday - 1) * MINUTES_PER_DAY, closes + (weekday - 1) * MINUTES_PER_DAY)
        for span in store.hours
        for opens, closes in [span.minutes()]
        for weekday in span.weekdays
    )
    first_again = (spans[0][0] + 7 * MINUTES_PER_DAY, 0)
    return all(
        early[1] <= late[0] for early, late in zip(spans, [*spans[1:], first_again], strict=True)
    )


def _is_time_zone(name: str) -> bool:
    # Asked for by name: listing every zone reads hundreds of files.
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _check_store(world: World, store: Store) -> None:
    short_name = world.brand(store.brand).short_name
    _require(store.name.startswith(short_name), f"{store.code}: the name starts with the brand's")
    _require(_is_time_zone(store.timezone), f"{store.code}: no such time zone")
    _require(bool(world.counter_logins(store)), f"{store.code}: nobody takes money there")
    _require(_are_apart(store), f"{store.code}: hours overlap")


def _check_people(world: World) -> None:
    for person in world.staff:
        for code in person.stores:
            _require(
                any(s.code == code and s.brand == person.brand for s in world.stores),
                f"{person.login}: no store {code!r} in {person.brand!r}",
            )
        way_in = person.pin if person.role == "clerk" else person.password
        _require(way_in is not None, f"{person.login}: no way to sign in")
    for member in world.cast:
        if member.home_store is not None:
            codes = {store.code for store in world.stores_of(member.brand)}
            _require(member.home_store in codes, f"{member.name}: no store {member.home_store!r}")


def _check_queueing(world: World, queueing: Queueing) -> None:
    letters = [line.code for line in queueing.lines]
    _require_unique(f"{queueing.brand}: line", letters)
    _require_unique(f"{queueing.brand}: desk", (desk.code for desk in queueing.desks))
    codes = {store.code for store in world.stores_of(queueing.brand)}
    named = {*(crowd.store for crowd in queueing.crowds), *queueing.distance_m_max}
    _require(named <= codes, f"{queueing.brand}: no store {sorted(named - codes)}")
    served = {letter for desk in queueing.desks for letter in desk.lines}
    crowded = {letter for crowd in queueing.crowds for letter in {*crowd.waiting, *crowd.called}}
    strangers = sorted((served | crowded) - set(letters))
    _require(not strangers, f"{queueing.brand}: no line {strangers}")


def check_world(world: World) -> None:
    """Refuse a world whose pieces do not fit together. Raises ValueError naming the piece."""
    _check_names(world)
    for brand in world.brands:
        _check_brand(world, brand)
    for store in world.stores:
        _check_store(world, store)
    for queueing in world.queueing:
        _check_queueing(world, queueing)
    _check_people(world)


def _merged(documents: Iterable[str]) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for text in documents:
        for key, value in tomllib.loads(text).items():
            if isinstance(value, list) and isinstance(merged.get(key), list):
                merged[key] = [*merged[key], *value]
            elif key in merged:
                msg = f"the table {key!r} is written twice"
                raise ValueError(msg)
            else:
                merged[key] = value
    return merged


def parse_world(documents: Iterable[str]) -> World:
    """Read TOML documents as one world; lists of the same name (stores) are joined in order.

    Raises ValueError (also as msgspec.ValidationError and tomllib.TOMLDecodeError), naming the
    field or the fact that does not fit.
    """
    world = msgspec.convert(_merged(documents), World)
    check_world(world)
    return world


def load_world() -> World:
    """Read the world that ships with the program."""
    folder = files("o2o.app.demo").joinpath("data")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return parse_world(folder.joinpath(name).read_text("utf-8") for name in names)

"""What stood on the demo's bills: every charge of a card gets dishes to its member's taste.

Nobody's taste is made for the recommender. A member likes some flavours and dislikes others
(drawn, not told to anybody), has dishes of the heart among what fits, and tries others all the
time; the party at the table and the store's own strengths have a say as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from random import Random

import msgspec

from o2o.app.demo.menu import Dish
from o2o.app.demo.passbook import DemoMovement
from o2o.app.demo.people import chance, dice
from o2o.app.demo.world import World
from o2o.kernel.money import split_by_weight

# How far tastes spread, as deviations of normal draws in the exponent.
_FLAVOUR_SPREAD = 0.7
_DISH_SPREAD = 0.5
_STORE_SPREAD = 0.3
_FAVOURITES = (3, 4, 5)
# Of the dishes of a bill so many in a hundred are old loves; the others are tried.
_FAVOURITE_PERCENT = 40
_DISHES_MAX = 14
_QUANTITY_MAX = 99
# The card's price may lie this far under the menu's: tiers, rounding, a dish on the house.
_DISCOUNT_PERCENT_MAX = 12
_RICE_PERCENT = 70
_HALL_EXTRA_PERCENT = 30


class DemoLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a bill; `amount_fen` is what was paid for it after discounts."""

    dish: Dish
    quantity: int
    amount_fen: int


class DemoBill(msgspec.Struct, frozen=True, kw_only=True):
    """One bill of a member, paid by card; `number` counts the member's bills."""

    member_ref: str
    number: int
    store: str
    at: datetime
    total_fen: int
    lines: tuple[DemoLine, ...]


class _Eater:
    """A member at table: the same one at every visit."""

    def __init__(self, world: World, ref: str) -> None:
        self.rng: Random = dice(world, ref, "dishes")
        self._world = world
        menu = [dish for dish in world.dishes if dish.brand == ref.partition("-")[0]]
        self.dishes = [dish for dish in menu if not dish.is_extra]
        self.extras = [dish for dish in menu if dish.is_extra]
        flavours = sorted({flavour for dish in self.dishes for flavour in dish.flavours})
        liking = {flavour: self.rng.gauss(0, _FLAVOUR_SPREAD) for flavour in flavours}
        self.weights = {
            dish.code: dish.draw
            * 2.0
            ** (sum(liking[flavour] for flavour in dish.flavours) + self.rng.gauss(0, _DISH_SPREAD))
            for dish in self.dishes
        }
        self.favourites: list[Dish] = []
        while self.dishes and len(self.favourites) < self.rng.choice(_FAVOURITES):
            self.favourites.append(self._draw(self._left(self.favourites)))

    def _left(self, taken: Iterable[Dish]) -> list[Dish]:
        codes = {dish.code for dish in taken}
        return [dish for dish in self.dishes if dish.code not in codes]

    def _draw(self, dishes: Sequence[Dish], tilt: dict[str, float] | None = None) -> Dish:
        weights = [self.weights[dish.code] * (tilt or {}).get(dish.code, 1.0) for dish in dishes]
        return self.rng.choices(dishes, weights=weights)[0]

    def choose(self, amount_fen: int, *, tilt: dict[str, float]) -> list[Dish]:
        """Return dishes whose prices come to the amount or little more, as far as they can."""
        chosen: list[Dish] = []
        most_fen = amount_fen * 100 // (100 - _DISCOUNT_PERCENT_MAX)
        priced_fen = 0
        while priced_fen < amount_fen and len(chosen) < _DISHES_MAX:
            fitting = [d for d in self._left(chosen) if priced_fen + d.price_fen <= most_fen]
            if not fitting:
                break
            loved = [dish for dish in fitting if dish in self.favourites]
            if loved and chance(self.rng, _FAVOURITE_PERCENT):
                dish = self.rng.choice(loved)
            else:
                dish = self._draw(fitting, tilt)
            chosen.append(dish)
            priced_fen += dish.price_fen
        return chosen


def write_bills(world: World, movements: Sequence[DemoMovement]) -> Iterator[DemoBill]:
    """Yield a bill for every debit, in their order; the same movements give the same bills."""
    eaters: dict[str, _Eater] = {}
    numbers: dict[str, int] = {}
    tilts = {store.code: _tilt(world, store.code) for store in world.stores}
    for movement in movements:
        if movement.kind != "debit":
            continue
        ref = movement.member_ref
        if ref not in eaters:
            eaters[ref] = _Eater(world, ref)
        eater = eaters[ref]
        if not eater.dishes:
            continue
        numbers[ref] = numbers.get(ref, 0) + 1
        is_hall = world.brand(ref.partition("-")[0]).kind == "hall"
        fill = _hall_lines if is_hall else _table_lines
        yield DemoBill(
            member_ref=ref,
            number=numbers[ref],
            store=movement.store,
            at=movement.at,
            total_fen=movement.amount_fen,
            lines=fill(eater, movement.amount_fen, tilt=tilts[movement.store]),
        )


def _tilt(world: World, store_code: str) -> dict[str, float]:
    """Return what a store's kitchen does better or worse than the others'."""
    rng = dice(world, store_code, "kitchen")
    return {dish.code: 2.0 ** rng.gauss(0, _STORE_SPREAD) for dish in world.dishes}


def _table_lines(eater: _Eater, amount_fen: int, *, tilt: dict[str, float]) -> tuple[DemoLine, ...]:
    chosen = eater.choose(amount_fen, tilt=tilt)
    quantities = {dish.code: 1 for dish in chosen}
    if chance(eater.rng, _RICE_PERCENT) or not chosen:
        extra = eater.extras[0]
        chosen.append(extra)
        quantities[extra.code] = eater.rng.choice((1, 2, 2, 3))
    # What is missing still (a long table, a small change) is more of the same.
    priced_fen = sum(dish.price_fen * quantities[dish.code] for dish in chosen)
    while priced_fen < amount_fen:
        missing_fen = amount_fen - priced_fen
        small = [dish for dish in chosen if dish.price_fen <= missing_fen]
        if not small or quantities[small[0].code] >= _QUANTITY_MAX:
            break
        dish = eater.rng.choice(small)
        quantities[dish.code] += 1
        priced_fen += dish.price_fen
    tea = eater.extras[-1]
    if amount_fen - priced_fen >= tea.price_fen and tea.code not in quantities:
        chosen.append(tea)
        quantities[tea.code] = min((amount_fen - priced_fen) // tea.price_fen, _QUANTITY_MAX)
    return _paid(chosen, quantities, amount_fen)


def _hall_lines(eater: _Eater, amount_fen: int, *, tilt: dict[str, float]) -> tuple[DemoLine, ...]:
    gas = eater.extras[0]
    more = []
    if chance(eater.rng, _HALL_EXTRA_PERCENT):
        more = eater.choose(amount_fen * 2 // 3, tilt=tilt)[: eater.rng.choice((1, 1, 2))]
    rest_fen = amount_fen - sum(dish.price_fen for dish in more)
    cubic_metres = max(1, min(rest_fen // gas.price_fen, _QUANTITY_MAX))
    lines = [DemoLine(dish=dish, quantity=1, amount_fen=dish.price_fen) for dish in more]
    return (DemoLine(dish=gas, quantity=cubic_metres, amount_fen=max(rest_fen, 0)), *lines)


def _paid(
    chosen: Sequence[Dish], quantities: dict[str, int], amount_fen: int
) -> tuple[DemoLine, ...]:
    """Spread what was paid over the dishes by their prices, by largest remainder."""
    prices = [dish.price_fen * quantities[dish.code] for dish in chosen]
    return tuple(
        DemoLine(dish=dish, quantity=quantities[dish.code], amount_fen=paid_fen)
        for dish, paid_fen in zip(chosen, split_by_weight(amount_fen, prices), strict=True)
    )

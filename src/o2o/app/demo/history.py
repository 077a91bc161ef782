"""What the demo's members did since they joined: top-ups, debits and points, month by month."""

from datetime import datetime, timedelta
from random import Random

import msgspec

from o2o.app.demo.passbook import Counter, DemoMovement, Passbook
from o2o.app.demo.people import DemoMember, Person, chance, dice, draw_people, local_day, moment
from o2o.app.demo.shapes import Habits, Store
from o2o.app.demo.visits import Visit, visits_of
from o2o.app.demo.world import World

__all__ = ["DemoHistory", "DemoMember", "DemoMovement", "write_history"]

_ROUND_FEN = 10_000
_SMALL_BILL_FEN = 2_000
_TOP_UP_LEAD = timedelta(minutes=4)
_AFTER_JOINING = timedelta(minutes=3)
_NEXT_AT_THE_COUNTER = timedelta(minutes=1)


class DemoHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Members in the order of `ref` with the tier they have reached; movements in time."""

    members: tuple[DemoMember, ...]
    movements: tuple[DemoMovement, ...]


def write_history(world: World, *, now: datetime) -> DemoHistory:
    """Return the members and all they did until the midnight before `now`, at their store.

    The same world and the same local day give the same history to the last fen. Raises
    ValueError for a naive `now`.
    """
    lives = [_live(world, person, now=now) for person in draw_people(world, now=now)]
    # Stable: what one member did at one moment stays in the order in which it was done.
    movements = sorted(
        (movement for _, passbook in lives for movement in passbook.movements),
        key=lambda movement: movement.at,
    )
    return DemoHistory(members=tuple(member for member, _ in lives), movements=tuple(movements))


def _live(world: World, person: Person, *, now: datetime) -> tuple[DemoMember, Passbook]:
    member = person.member
    brand = world.brand(member.brand)
    limit_fen = world.limits.fen_max(is_named=member.is_named)
    passbook = Passbook(member, brand, limit_fen=limit_fen)
    if person.ending != "never_topped_up":
        _Regular(world, person, passbook).live(now=now)
    # Seen from the midnight at which the history ends, so that the hour of the day changes nothing.
    home = world.store(member.home_store)
    tier = passbook.tier_at(moment(home, local_day(now, home), minute=0))
    return msgspec.structs.replace(member, tier=tier.code), passbook


class _Regular:
    """A person who uses the card, with tastes of their own."""

    def __init__(self, world: World, person: Person, passbook: Passbook) -> None:
        self._world = world
        self._person = person
        self._passbook = passbook
        self._brand = world.brand(person.member.brand)
        self._habits: Habits = world.habits[self._brand.kind]
        self._rng: Random = dice(world, person.member.ref, "history")
        indexes = range(len(self._brand.top_ups))
        self._usual_top_up = self._rng.choices(indexes, weights=self._habits.top_up_weights)[0]

    def live(self, *, now: datetime) -> None:
        rng = dice(self._world, self._person.member.ref, "visits")
        visits = list(visits_of(self._world, self._person, rng, now=now))
        first = self._at_joining()
        if self._person.ending == "ordinary":
            last = None
        else:
            last = self._counter(visits.pop()) if visits else first
        has_a_life = bool(visits) or self._person.ending == "ordinary"
        if has_a_life and chance(self._rng, self._habits.top_up_on_joining_percent):
            self._top_up(first, shortfall_fen=1)
        for visit in visits:
            self._pay(visit)
        if last is not None:
            self._end(last)

    def _clerk(self, store: Store) -> str:
        return self._rng.choice(self._world.counter_logins(store))

    def _counter(self, visit: Visit) -> Counter:
        return Counter(store=visit.store, at=visit.at, clerk_login=self._clerk(visit.store))

    def _at_joining(self) -> Counter:
        member = self._person.member
        home = self._world.store(member.home_store)
        at = member.joined_at + _AFTER_JOINING
        return Counter(store=home, at=at, clerk_login=self._clerk(home))

    def _top_up(self, counter: Counter, *, shortfall_fen: int) -> bool:
        """Take the package nearest to the usual one that is enough and still allowed."""
        fitting = [
            (abs(index - self._usual_top_up), package)
            for index, package in enumerate(self._brand.top_ups)
            if shortfall_fen <= package.principal_fen + package.bonus_fen <= self._passbook.room_fen
        ]
        if not fitting:
            return False
        package = min(fitting, key=lambda fit: fit[0])[1]
        self._passbook.top_up(
            counter, principal_fen=package.principal_fen, bonus_fen=package.bonus_fen
        )
        return True

    def _pay(self, visit: Visit) -> None:
        counter, habits, passbook = self._counter(visit), self._habits, self._passbook
        if chance(self._rng, habits.other_tender_percent):
            return
        amount_fen = passbook.price_fen(visit.bill_fen, at=visit.at)
        shortfall_fen = amount_fen - passbook.balance_fen
        if shortfall_fen > 0:
            if chance(self._rng, habits.declines_top_up_percent):
                return
            if not self._top_up(counter.later(-_TOP_UP_LEAD), shortfall_fen=shortfall_fen):
                return
        passbook.charge(counter, amount_fen)
        self._take_reward(counter.later(_NEXT_AT_THE_COUNTER))

    def _take_reward(self, counter: Counter) -> None:
        prices = [reward.points for reward in self._brand.points.rewards]
        within = [points for points in prices if points <= self._passbook.points]
        if within and chance(self._rng, self._habits.points_spend_percent):
            self._passbook.spend_points(counter, self._rng.choice(within))

    def _end(self, counter: Counter) -> None:
        if self._person.ending == "spent_out":
            if self._passbook.balance_fen:
                self._passbook.charge(counter, self._passbook.balance_fen)
            return
        self._fill(counter)

    def _fill(self, counter: Counter) -> None:
        """Bring the card to its limit: pay a bill that leaves a round sum, then top up to it."""
        passbook = self._passbook
        bill_fen = passbook.balance_fen % _ROUND_FEN
        if bill_fen < _SMALL_BILL_FEN and passbook.balance_fen >= bill_fen + _ROUND_FEN:
            bill_fen += _ROUND_FEN
        if bill_fen:
            passbook.charge(counter, bill_fen)
        while passbook.room_fen:
            counter = counter.later(_NEXT_AT_THE_COUNTER)
            fitting = [
                (package.principal_fen, package.bonus_fen)
                for package in self._brand.top_ups
                if package.principal_fen + package.bonus_fen <= passbook.room_fen
            ]
            # Less than the smallest package is paid in as it is, without a bonus.
            principal_fen, bonus_fen = fitting[-1] if fitting else (passbook.room_fen, 0)
            passbook.top_up(counter, principal_fen=principal_fen, bonus_fen=bonus_fen)

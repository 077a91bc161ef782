"""How well waits are told: the product's estimate on simulated evenings, beside its peers' rule.

    python -m bench.estimate                # all thirty stores, about six minutes
    python -m bench.estimate --stores 4     # a look

The peers' rule is the parties ahead × the minutes per party ahead that the class had in the days
learnt (their median). A second, harder one also counts the party itself. What is judged: everybody
who came on a judged evening and found no table free.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from statistics import median

import msgspec

from bench.evenings import (
    DAYS_JUDGED,
    DAYS_LEARNT,
    NO_SHOW_SHARE,
    SEED,
    SLOW_NIGHT_FACTOR,
    SLOW_STORES,
    STORES,
    TableClass,
    classes_of_store,
    evening,
    is_slow_night,
)
from o2o.queueing.rules.wait_learning import Learnt, PastDay, PastWait, learn, score_day

# What is asked of the estimate.
RANGE_SHARE = (0.75, 0.85)
GAIN_MIN = 0.25


class Judged(msgspec.Struct, frozen=True):
    """One wait of a judged evening, in seconds: what it was and what was said of it."""

    wait: float
    low: float
    median: float
    high: float
    peers: float
    peers_with_self: float
    is_slow: bool

    @property
    def is_inside(self) -> bool:
        """Whether the wait fell inside the range."""
        return self.low <= self.wait <= self.high


class Figures(msgspec.Struct, frozen=True):
    """What a number of judged waits say together; errors in minutes."""

    waits: int
    inside: float
    error: float
    peers_error: float
    peers_with_self_error: float

    @property
    def gain(self) -> float:
        """By what share our error is below the peers'."""
        return 1 - self.error / self.peers_error

    @property
    def gain_with_self(self) -> float:
        """By what share it is below that of the harder rule."""
        return 1 - self.error / self.peers_with_self_error


def past_day(store: int, day: int, of: TableClass) -> PastDay:
    """Return a simulated evening in the form in which the product knows it."""
    return PastDay(
        day % 7,
        [
            PastWait(party.taken_at, party.ahead, party.called_at, party.is_seated)
            for party in evening(store, day, of)
        ],
    )


def judge(store: int, of: TableClass) -> Iterator[Judged]:
    """Learn a class of a store, then tell every wait of the judged evenings."""
    days = [past_day(store, day, of) for day in range(DAYS_LEARNT)]
    learnt = learn(days, servers=of.tables)
    if learnt is None:
        return
    waited = [wait for day in days for wait in day.tickets if wait.had_to_wait]
    per_party = median(w.seconds / w.parties_ahead for w in waited if w.parties_ahead)
    per_place = median(w.seconds / (w.parties_ahead + 1) for w in waited)
    for number in range(DAYS_LEARNT, DAYS_LEARNT + DAYS_JUDGED):
        day = past_day(store, number, of)
        is_slow = is_slow_night(store, number)
        for wait, told in _told(day, learnt):
            yield Judged(
                wait.seconds,
                *told,
                wait.parties_ahead * per_party,
                (wait.parties_ahead + 1) * per_place,
                is_slow,
            )


def _told(day: PastDay, learnt: Learnt) -> Iterator[tuple[PastWait, tuple[float, float, float]]]:
    waits = [wait for wait in sorted(day.tickets, key=lambda w: w.taken_at) if wait.had_to_wait]
    for wait, (score, _) in zip(waits, score_day(day, learnt.stays), strict=True):
        yield wait, learnt.ranges.at(score)


def figures_of(judged: Sequence[Judged]) -> Figures:
    """Sum up; at least one wait."""
    many = len(judged)
    return Figures(
        waits=many,
        inside=sum(one.is_inside for one in judged) / many,
        error=sum(abs(one.median - one.wait) for one in judged) / many / 60,
        peers_error=sum(abs(one.peers - one.wait) for one in judged) / many / 60,
        peers_with_self_error=sum(abs(one.peers_with_self - one.wait) for one in judged)
        / many
        / 60,
    )


def judge_stores(stores: int) -> list[Judged]:
    """Judge every class of the first so many stores."""
    return [
        one for store in range(stores) for of in classes_of_store(store) for one in judge(store, of)
    ]


def main() -> None:
    """Run the comparison and print it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--stores", type=int, default=STORES)
    began = time.perf_counter()
    judged = judge_stores(options.parse_args().stores)
    all_of_them = figures_of(judged)
    slow = [one for one in judged if one.is_slow]
    print(
        f"seed {SEED}, {DAYS_LEARNT} days learnt, {DAYS_JUDGED} judged,"
        f" {NO_SHOW_SHARE:.0%} no-shows, slow nights (x{SLOW_NIGHT_FACTOR}) in stores {SLOW_STORES}"
    )
    print(f"waits judged                       {all_of_them.waits:>8,}")
    print(f"inside the 80 % range              {all_of_them.inside:>8.1%}")
    print(f"mean absolute error, minutes       {all_of_them.error:>8.2f}")
    print(f"  people ahead x median minutes    {all_of_them.peers_error:>8.2f}")
    print(f"    ours is below by               {all_of_them.gain:>8.1%}")
    print(f"  (ahead + 1) x median minutes     {all_of_them.peers_with_self_error:>8.2f}")
    print(f"    ours is below by               {all_of_them.gain_with_self:>8.1%}")
    if slow:
        nights = figures_of(slow)
        print(f"slow nights: {nights.waits} waits, inside {nights.inside:.1%}")
    is_met = RANGE_SHARE[0] <= all_of_them.inside <= RANGE_SHARE[1] and all_of_them.gain >= GAIN_MIN
    print(f"{'yes' if is_met else 'NO'}   inside 75-85 % and at least 25 % below the peers' rule")
    print(f"({time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    main()

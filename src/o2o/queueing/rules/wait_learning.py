"""Learning how a queue's parties stay and wait from its own past days; pure, and repeatable."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median

import msgspec

from o2o.queueing.rules.table_stays import HOURS, Seated, Stays, Watch, departures, wait_for
from o2o.queueing.rules.wait_ranges import Ranges, ranges_of

# Fewer waits than this say nothing; the store's own minutes speak on.
WAITS_MIN = 60
# Called sooner than this after taking a number: a place was free.
AT_ONCE_SECONDS = 60
# So many usual stays count beside those of one hour, or of one weekday.
PRIOR_OF_HOUR = 60
PRIOR_OF_WEEKDAY = 120
SPREADS = (0.2, 0.28, 0.4)
MEDIAN_FACTORS = (0.94, 1.0, 1.06)
# Waits that are looked at while numbers are compared.
COMPARED = 500
# Waits from which the ranges are read.
RANGED = 2000
_USUAL_DAYS = 7


class PastWait(msgspec.Struct, frozen=True):
    """One ticket of a past day, in seconds since the midnight of its business date."""

    taken_at: float
    parties_ahead: int
    called_at: float
    # Whether the party came when it was called.
    is_seated: bool

    @property
    def seconds(self) -> float:
        """How long it waited."""
        return self.called_at - self.taken_at

    @property
    def had_to_wait(self) -> bool:
        """Whether no place was free when it came."""
        return self.parties_ahead > 0 or self.seconds > AT_ONCE_SECONDS


class PastDay(msgspec.Struct, frozen=True):
    """A past business day: its weekday, 0 for Monday, and its tickets that were called."""

    weekday: int
    tickets: list[PastWait]


class Learnt(msgspec.Struct, frozen=True):
    """What a queue's past days say: how long parties stay, and what waits were like by score."""

    stays: Stays
    ranges: Ranges
    waits: int


def learn(days: Sequence[PastDay], *, servers: int) -> Learnt | None:
    """Return what the days say of a queue with about so many servers; None when too little."""
    if sum(wait.had_to_wait for day in days for wait in day.tickets) < WAITS_MIN:
        return None
    stays = _with_usual_departures(_some(days, COMPARED), _compared(days, servers))
    scored = [pair for day in _some(days, RANGED) for pair in score_day(day, stays)]
    return Learnt(stays, ranges_of(scored), len(scored))


def score_day(day: PastDay, stays: Stays) -> Iterator[tuple[float, float]]:
    """Give the score that each waiting party would have had when it came, and its wait."""
    watch = Watch(stays, weekday=day.weekday)
    calls = [wait for wait in sorted(day.tickets, key=_called) if wait.is_seated]
    seated = 0
    for wait in sorted(day.tickets, key=_taken):
        while seated < len(calls) and calls[seated].called_at <= wait.taken_at:
            watch.seat(Seated(calls[seated].called_at, calls[seated].had_to_wait))
            seated += 1
        if wait.had_to_wait:
            yield score(watch, stays, wait, weekday=day.weekday), wait.seconds


def score(watch: Watch, stays: Stays, wait: PastWait, *, weekday: int) -> float:
    """Return the expected wait, in seconds, of a party that takes its number now."""
    given = departures(
        watch.tables(),
        stays,
        now=wait.taken_at,
        weekday=weekday,
        until_places=wait.parties_ahead * stays.come_share + 1,
    )
    return wait_for(given, parties_ahead=wait.parties_ahead, come_share=stays.come_share)


def _called(wait: PastWait) -> float:
    return wait.called_at


def _taken(wait: PastWait) -> float:
    return wait.taken_at


def _turns(days: Sequence[PastDay], servers: int) -> Iterator[tuple[int, float, float]]:
    """Weekday, moment of sitting down, and seconds until the place went to somebody who waited.

    Who gets up next is not known; that it is one of `servers` parties is: the order of sitting
    down stands in for the order of getting up, and in the median it makes no difference.
    """
    for day in days:
        seated = [wait for wait in sorted(day.tickets, key=_called) if wait.is_seated]
        for earlier, later in zip(seated, seated[servers:], strict=False):
            if later.seconds > AT_ONCE_SECONDS and later.called_at > earlier.called_at:
                yield day.weekday, earlier.called_at, later.called_at - earlier.called_at


def _stays(days: Sequence[PastDay], *, servers: int, spread: float) -> Stays:
    turns = list(_turns(days, servers))
    usual = max(60.0, median(turn for _, _, turn in turns)) if turns else 3600.0
    by_hour: list[list[float]] = [[] for _ in range(HOURS)]
    by_weekday: list[list[float]] = [[] for _ in range(_USUAL_DAYS)]
    for weekday, since, turn in turns:
        by_hour[min(max(int(since // 3600), 0), HOURS - 1)].append(turn / usual)
        by_weekday[weekday].append(turn / usual)
    # Who is called at once is there; only who waits goes away.
    waited = [wait for day in days for wait in day.tickets if wait.had_to_wait]
    return Stays(
        servers,
        usual,
        spread,
        sum(wait.is_seated for wait in waited) / len(waited),
        [_shrunk(found, PRIOR_OF_HOUR) for found in by_hour],
        [_shrunk(found, PRIOR_OF_WEEKDAY) for found in by_weekday],
    )


def _shrunk(factors: Sequence[float], prior: int) -> float:
    if not factors:
        return 1.0
    return (len(factors) * median(factors) + prior) / (len(factors) + prior)


def _some(days: Sequence[PastDay], waits: int) -> Sequence[PastDay]:
    """Return about so many waits, in whole days spread over all of them."""
    every = sum(wait.had_to_wait for day in days for wait in day.tickets) // waits
    # Not a multiple of seven: each weekday has its turn.
    return days[:: every + 1 if every % _USUAL_DAYS == 0 and every else max(1, every)]


def _with_usual_departures(days: Sequence[PastDay], stays: Stays) -> Stays:
    """Say how many departures were expected for each that was seen on usual days."""
    expected = seen = 0.0
    for day in days:
        watch = Watch(stays, weekday=day.weekday)
        for wait in sorted(day.tickets, key=_called):
            if wait.is_seated:
                watch.seat(Seated(wait.called_at, wait.had_to_wait))
        expected += watch.expected_in_all
        seen += watch.seen_in_all
    if not seen or not expected:
        return stays
    return msgspec.structs.replace(stays, departures_usual=expected / seen)


def _compared(days: Sequence[PastDay], servers: int) -> Stays:
    """Compare numbers of places, medians and spreads by the error they would have made.

    What a store says of its tables need not be what its queue feels: tables are joined, kept for
    bookings, out of use.
    """
    some = _some(days, COMPARED)
    step = max(1, servers // 6)
    best = _stays(days, servers=servers, spread=SPREADS[1])
    error = _error(some, best)
    for direction in (-1, 1):
        number = servers + direction * step
        while number >= 1:
            other = _stays(days, servers=number, spread=SPREADS[1])
            found = _error(some, other)
            if found >= error:
                break
            best, error = other, found
            number += direction * step
    for spread, factor in product(SPREADS, MEDIAN_FACTORS):
        other = msgspec.structs.replace(
            best, spread=spread, median_seconds=best.median_seconds * factor
        )
        found = _error(some, other)
        if found < error:
            best, error = other, found
    return best


def _error(days: Sequence[PastDay], stays: Stays) -> float:
    """The mean absolute error of the scores, taken as waits."""
    errors = [abs(one - wait) for day in days for one, wait in score_day(day, stays)]
    return sum(errors) / len(errors) if errors else float("inf")

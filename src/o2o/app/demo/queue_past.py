"""The demo's past evenings: who came, waited, was called, gave up, drawn from a seed and a day."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from heapq import heapreplace
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from o2o.app.demo.shapes import Store
from o2o.app.demo.shapes_queues import Line, Past
from o2o.crm.statuses import TicketStatus
from o2o.queueing.rules.wait_estimate import WaitEstimate

_PERCENT = 100
# How long a table is kept for a party that does not come, and a called party takes to come.
_MISSED_MINUTES = 3.0
_COMES_MINUTES = (0.4, 2.5)
# Who waited less than this is there when called.
_LEAVES_AFTER_MINUTES = 8.0
# Nobody waits longer than so many times what most would.
_PATIENCE_AT_MOST = 2
# By then the evening's numbers are over, in minutes from midnight.
_EXPIRES = 28 * 60
# How far an estimate is off, as a spread of the log, and how wide its range is.
_PROMISE_SPREAD = 0.31
_PROMISE_PERCENT = (65, 145)
_SOURCES = ("pad", "pad", "door", "door", "door", "page", "page", "chat")


class PastParty(msgspec.Struct, frozen=True):
    """A party of a past day."""

    number: int
    size: int
    status: TicketStatus
    source: str
    taken_at: datetime
    called_at: datetime | None
    ended_at: datetime
    ahead: int
    promise: WaitEstimate


def parties_of(store: Store, line: Line, *, past: Past, day: date, rng: Random) -> list[PastParty]:
    """Return who took a number of a line on a day, in order, by one queue before equal servers."""
    evening = _Evening(store, line, past=past, day=day, rng=rng)
    return [evening.party(number, at) for number, at in enumerate(evening.arrivals(), start=1)]


class _Evening:
    """A line on a day: its tables or windows, and who stands in front of them."""

    def __init__(self, store: Store, line: Line, *, past: Past, day: date, rng: Random) -> None:
        servers = line.servers_at(store)
        self._store, self._line, self._past, self._rng = store, line, past, rng
        self._day = day
        self._midnight = datetime.combine(day, time(), ZoneInfo(store.timezone)).astimezone(UTC)
        self._free_at = [0.0] * servers
        self._last_call = 0.0
        # When each of those who wait leaves the line.
        self._leaving: list[float] = []
        self._per_minute = servers / line.minutes_per_party
        self._middle = math.log(line.minutes_per_party)
        self._spread = past.spread_percent / _PERCENT

    def arrivals(self) -> Iterator[float]:
        """Yield minutes from midnight at which parties come, while the store is open."""
        weekday = self._past.weekday_percent[self._day.weekday()]
        for opens, closes in self._store.spans_on(self._day):
            for stretch in self._past.stretches:
                starts, ends = stretch.minutes()
                at, until = float(max(starts, opens)), min(ends, closes)
                rate = self._per_minute * stretch.percent * weekday / _PERCENT / _PERCENT
                while (at := at + self._rng.expovariate(rate)) < until:
                    yield at

    def party(self, number: int, at: float) -> PastParty:
        """Return what became of a party that comes at a time; times only grow."""
        rng, past = self._rng, self._past
        self._leaving = [leaves for leaves in self._leaving if leaves > at]
        ahead = len(self._leaving)
        call = max(at, self._free_at[0], self._last_call)
        wait = call - at
        called: float | None = call
        patience = past.patience_minutes
        gives_up = wait > patience and rng.random() * _PERCENT < past.gives_up_percent
        if gives_up or wait > _PATIENCE_AT_MOST * patience:
            status, called = TicketStatus.CANCELLED, None
            ended = at + rng.uniform(patience, wait)
        elif wait > _LEAVES_AFTER_MINUTES and rng.random() * _PERCENT < past.no_show_percent:
            status, ended = TicketStatus.EXPIRED, float(_EXPIRES)
            heapreplace(self._free_at, call + _MISSED_MINUTES)
            self._last_call = call
        else:
            status, ended = TicketStatus.SEATED, call + rng.uniform(*_COMES_MINUTES)
            heapreplace(self._free_at, ended + rng.lognormvariate(self._middle, self._spread))
            self._last_call = call
        self._leaving.append(ended if called is None else called)
        return PastParty(
            number,
            self._size(),
            status,
            _SOURCES[int(rng.random() * len(_SOURCES))],
            self._moment(at),
            self._moment(called) if called is not None else None,
            self._moment(max(ended, called or ended)),
            ahead,
            self._promise(wait),
        )

    def _promise(self, wait: float) -> WaitEstimate:
        """Return a range as an estimate gives it: it holds four waits of five."""
        told = wait * 60 * self._rng.lognormvariate(0, _PROMISE_SPREAD)
        low, high = (int(told * percent) // _PERCENT for percent in _PROMISE_PERCENT)
        return WaitEstimate(low, int(told), high)

    def _size(self) -> int:
        least, most = self._line.party_size_min, self._line.party_size_max
        return least + int(self._rng.random() * (most - least + 1))

    def _moment(self, minutes: float) -> datetime:
        return self._midnight + timedelta(seconds=int(minutes * 60))

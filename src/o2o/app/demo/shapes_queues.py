"""How the demo's stores queue: lines, desks, rules, the crowd that waits, the days behind it."""

from datetime import time
from typing import Annotated

import msgspec
from msgspec import Meta

from o2o.app.demo.shapes import (
    Code,
    Natural,
    Percent,
    Positive,
    Store,
    Written,
    minutes_between,
)

Letter = Annotated[str, Meta(pattern=r"^[A-Z]$")]
PartySize = Annotated[int, Meta(ge=1, le=50)]
Minutes = Annotated[int, Meta(ge=1, le=480)]
_HUNDRED = 100


class Line(Written, frozen=True, kw_only=True):
    """A table class or a line of business, the same in every store of the brand."""

    code: Letter
    name: Annotated[str, Meta(min_length=1, max_length=12)]
    name_en: Annotated[str, Meta(min_length=1, max_length=32)]
    party_size_min: PartySize = 1
    party_size_max: PartySize
    # Tables or windows of the line in a store of a hundred seats.
    servers_per_100_seats: Positive
    minutes_per_party: Minutes

    def servers_at(self, store: Store) -> int:
        """Return how many tables or windows a store has for it."""
        return max(1, round(self.servers_per_100_seats * store.seats / _HUNDRED))


class Desk(Written, frozen=True, kw_only=True):
    """Where calls are served; no lines named is all of them."""

    code: Annotated[str, Meta(min_length=1, max_length=8)]
    name: Annotated[str, Meta(min_length=1, max_length=12)]
    lines: tuple[Letter, ...] = ()


class QueueRules(Written, frozen=True, kw_only=True):
    """The settings of the brand's stores."""

    notice_parties: Positive = 3
    notice_minutes: Positive = 10
    return_behind: Natural = 3
    returns_max: Natural = 1
    ordinary_between: Positive = 2
    has_member_priority: bool = True
    apology: Annotated[str, Meta(min_length=1, max_length=120)]


class Stretch(Written, frozen=True, kw_only=True):
    """A stretch of the day and how many parties come then, in per cent of what can be served."""

    starts: time
    ends: time
    percent: Positive

    def minutes(self) -> tuple[int, int]:
        """Return its beginning and end as minutes from the day's midnight."""
        return minutes_between(self.starts, self.ends)


class Past(Written, frozen=True, kw_only=True):
    """What the days behind are drawn from; outside the stretches nobody takes a number.

    Service times are lognormal; `spread_percent` is the deviation of their logarithm in hundredths.
    """

    days: Positive
    no_show_percent: Percent
    # Of those who wait longer than `patience_minutes`.
    gives_up_percent: Percent
    patience_minutes: Minutes
    spread_percent: Positive
    # Monday to Sunday.
    weekday_percent: Annotated[tuple[Positive, ...], Meta(min_length=7, max_length=7)]
    stretches: Annotated[tuple[Stretch, ...], Meta(min_length=1)]


class Crowd(Written, frozen=True, kw_only=True):
    """Who waits in a store when the demo starts: parties per line, and those called before."""

    store: Code
    waiting: dict[Letter, Natural]
    called: dict[Letter, Natural]


class Queueing(Written, frozen=True, kw_only=True):
    """How the stores of one brand queue."""

    brand: Code
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=26)]
    desks: Annotated[tuple[Desk, ...], Meta(min_length=1)]
    rules: QueueRules
    past: Past
    crowds: tuple[Crowd, ...] = ()
    # How far away a number may be taken, where a store limits it, in metres.
    distance_m_max: dict[Code, Annotated[int, Meta(ge=50, le=100_000)]] = msgspec.field(
        default_factory=dict
    )

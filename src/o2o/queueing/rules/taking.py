"""May a number be taken here and now, by a party of that size, from so far away?"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from o2o.crm.statuses import QueueStatus, TicketPriority, TicketSource
from o2o.kernel.errors import Fact
from o2o.kernel.geo import Point, distance_m
from o2o.kernel.hours import next_opening, open_span, spans_of_day
from o2o.queueing.errors import (
    LocationNeeded,
    PartySizeOutOfRange,
    QueueNotOpen,
    QueuePaused,
    TooFarAway,
)

PARTY_SIZE_MAX = 50
# Somebody so near to a store is in it, unless the store says otherwise: what a phone errs inside a
# building.
REACH_M_USUAL = 200
# Numbers taken from somewhere else; at the door, at the pad and by machines one is there.
FROM_AFAR = frozenset({TicketSource.PAGE, TicketSource.CHAT, TicketSource.LOCATION})
# Whoever booked was promised a place: neither a pause nor the minutes before opening keep them out.
PROMISED = frozenset({TicketSource.BOOKING})

# On foot up to so many metres, at 80 m a minute; farther off by car, at 300 m, and 5 minutes more.
WALK_M_MAX = 1_500
WALK_M_PER_MINUTE = 80
RIDE_M_PER_MINUTE = 300
RIDE_MINUTES = 5


class Sized(Protocol):
    """A queue as far as the choice among them goes."""

    @property
    def party_size_min(self) -> int: ...
    @property
    def party_size_max(self) -> int: ...


Q = TypeVar("Q", bound=Sized)


def fitting(queues: Iterable[Q], party_size: int) -> list[Q]:
    """Return the queues to which a party of that size belongs, the narrowest first."""
    found = [q for q in queues if q.party_size_min <= party_size <= q.party_size_max]
    return sorted(found, key=lambda q: (q.party_size_max, -q.party_size_min))


def sizes_of(queues: Iterable[Sized]) -> tuple[int, int]:
    """Return the smallest and the largest party that belongs anywhere here."""
    known = list(queues)
    return min(q.party_size_min for q in known), max(q.party_size_max for q in known)


def size_refusal(queues: Iterable[Sized]) -> PartySizeOutOfRange:
    """Say which parties belong here."""
    least, most = sizes_of(queues)
    return PartySizeOutOfRange(party_size_min=least, party_size_max=most)


def is_serving(
    now: datetime, *, hours: Mapping[str, Any], exceptions: Mapping[str, Any], timezone: str
) -> bool:
    """Whether a store is open; one that declares no hours at all is whenever its queues are."""
    if not hours and not exceptions:
        return True
    return open_span(now, hours=hours, timezone=timezone, exceptions=exceptions) is not None


def last_closing(
    now: datetime, *, hours: Mapping[str, Any], exceptions: Mapping[str, Any], timezone: str
) -> datetime | None:
    """Return when a store closed last, as far as that is within its last two days."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    ends = [
        span.until
        for back in range(3)
        for span in spans_of_day(
            today - timedelta(days=back), hours=hours, timezone=timezone, exceptions=exceptions
        )
        if span.until <= now
    ]
    return max(ends, default=None)


def opening_refusal(
    status: QueueStatus,
    *,
    source: TicketSource,
    now: datetime,
    hours: Mapping[str, Any],
    exceptions: Mapping[str, Any],
    timezone: str,
) -> Fact | None:
    """Say why no number is given now, or None."""
    is_open = is_serving(now, hours=hours, exceptions=exceptions, timezone=timezone)
    is_promised = source in PROMISED
    if status is QueueStatus.CLOSED or not (is_open or is_promised):
        opens = None
        if not is_open:
            opens = next_opening(now, hours=hours, timezone=timezone, exceptions=exceptions)
        return QueueNotOpen(next_opening_at=opens)
    if status is QueueStatus.PAUSED and not is_promised:
        return QueuePaused()
    return None


def distance_refusal(
    here: Point | None, store: Point, *, source: TicketSource, distance_m_max: int | None
) -> Fact | None:
    """Say that a party is too far away, or that nobody knows where it is, or None."""
    if distance_m_max is None or source not in FROM_AFAR:
        return None
    if here is None:
        return LocationNeeded(distance_m_max=distance_m_max)
    metres = round(distance_m(here, store))
    if metres > distance_m_max:
        return TooFarAway(distance_m=metres, distance_m_max=distance_m_max)
    return None


def travel_seconds(here: Point | None, store: Point) -> int | None:
    """Return how long a party has to go, where it said where it is."""
    if here is None:
        return None
    metres = round(distance_m(here, store))
    if metres <= WALK_M_MAX:
        return metres * 60 // WALK_M_PER_MINUTE
    return RIDE_MINUTES * 60 + metres * 60 // RIDE_M_PER_MINUTE


def priority_of(
    asked: TicketPriority, *, is_member: bool, is_booked: bool, has_member_priority: bool
) -> TicketPriority:
    """Return the priority that a number gets: an arrived booking's, a member's where they have one.

    What a party asks for without being it counts for nothing.
    """
    if asked is TicketPriority.BOOKED and is_booked:
        return TicketPriority.BOOKED
    if is_member and has_member_priority:
        return TicketPriority.MEMBER
    return TicketPriority.ORDINARY

"""A store's business day: it begins after the night before has ended."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

# Where no hours say otherwise, whoever is served before four in the morning belongs to the evening.
USUAL_TURN = time(4)
# However late a store closes, by then it is another day.
LATEST_TURN = time(11)


def turn_of_day(hours: Mapping[str, Any]) -> time:
    """Return at what local time a new business day begins.

    Four in the morning, or when the last night of the week ends, if that is later.
    """
    closes = [time.fromisoformat(until) for since, until in _spans(hours) if until <= since]
    return min(max([USUAL_TURN, *closes]), LATEST_TURN)


def _spans(hours: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [(span[0], span[1]) for day in hours.values() for span in day]


def business_day(at: datetime, *, hours: Mapping[str, Any], timezone: str) -> date:
    """Return to which business day of a store a moment belongs."""
    local = at.astimezone(ZoneInfo(timezone))
    day = local.date()
    return day if local.time() >= turn_of_day(hours) else day - timedelta(days=1)


def day_began(at: datetime, *, hours: Mapping[str, Any], timezone: str) -> datetime:
    """Return when the business day of a moment began."""
    day = business_day(at, hours=hours, timezone=timezone)
    return datetime.combine(day, turn_of_day(hours), tzinfo=ZoneInfo(timezone))

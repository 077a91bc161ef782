"""Opening hours: whether a store serves at a moment, and when it serves next.

Hours are `{"mon": [["10:30", "14:00"], ["16:30", "02:00"]], …}` in the store's zone. An end at or
before its start is on the next day; `["00:00", "24:00"]` is the whole day. A date in `exceptions`
(`{"2026-02-17": []}`) replaces the hours of its weekday; an empty list is a day off.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# How far ahead an opening is looked for: longer than any holiday.
DAYS_AHEAD_MAX = 60
_MIDNIGHT = "24:00"


class Span(msgspec.Struct, frozen=True):
    """From when until when a store serves, without a break."""

    since: datetime
    until: datetime


def spans_of_day(
    day: date,
    *,
    hours: Mapping[str, Any],
    timezone: str,
    exceptions: Mapping[str, Any] | None = None,
) -> list[Span]:
    """Return the spans that begin on a date, earliest first; the last may end on the next day."""
    found = (exceptions or {}).get(day.isoformat())
    if found is None:
        found = hours.get(WEEKDAYS[day.weekday()], [])
    zone = ZoneInfo(timezone)
    return sorted((_span(day, pair, zone) for pair in found), key=lambda span: span.since)


def _span(day: date, pair: Sequence[str], zone: ZoneInfo) -> Span:
    since, until = (_minutes(text) for text in pair)
    if until <= since:
        until += 24 * 60
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return Span(_at(midnight, since), _at(midnight, until))


def _at(midnight: datetime, minutes: int) -> datetime:
    # Wall-clock arithmetic: half past ten is half past ten on a day with a changed clock too.
    return midnight + timedelta(minutes=minutes)


def _minutes(text: str) -> int:
    if text == _MIDNIGHT:
        return 24 * 60
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def open_span(
    at: datetime,
    *,
    hours: Mapping[str, Any],
    timezone: str,
    exceptions: Mapping[str, Any] | None = None,
) -> Span | None:
    """Return the span in which a store serves at a moment, or None while it is closed."""
    today = at.astimezone(ZoneInfo(timezone)).date()
    for day in (today - timedelta(days=1), today):
        for span in spans_of_day(day, hours=hours, timezone=timezone, exceptions=exceptions):
            if span.since <= at < span.until:
                return span
    return None


def next_opening(
    at: datetime,
    *,
    hours: Mapping[str, Any],
    timezone: str,
    exceptions: Mapping[str, Any] | None = None,
) -> datetime | None:
    """Return when a store begins to serve after a moment; None when no day of the next 60 does."""
    today = at.astimezone(ZoneInfo(timezone)).date()
    for ahead in range(DAYS_AHEAD_MAX + 1):
        day = today + timedelta(days=ahead)
        for span in spans_of_day(day, hours=hours, timezone=timezone, exceptions=exceptions):
            if span.since > at:
                return span.since
    return None

"""The period of a statement: whole days of the country, as people choose them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

ZONE = ZoneInfo("Asia/Shanghai")
DAYS_MAX = 366
YEAR_MIN = 2000


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Both days belong to it."""

    from_day: date
    to_day: date

    @property
    def begins_at(self) -> datetime:
        """The first moment of it."""
        return _midnight(self.from_day)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.to_day + timedelta(days=1))


def today(now: datetime) -> date:
    """Return the day that people have."""
    return now.astimezone(ZONE).date()


def presets(day: date) -> dict[str, Period]:
    """Return the periods people ask for most, by name."""
    month_began = day.replace(day=1)
    last_month_ended = month_began - timedelta(days=1)
    return {
        "this_month": Period(from_day=month_began, to_day=day),
        "last_month": Period(from_day=last_month_ended.replace(day=1), to_day=last_month_ended),
        "ninety_days": Period(from_day=day - timedelta(days=89), to_day=day),
        "this_year": Period(from_day=day.replace(month=1, day=1), to_day=day),
    }


def read_period(from_text: str, to_text: str) -> Period | str:
    """Return the period that two dates name, or what is wrong with them: a key of the copy."""
    try:
        from_day, to_day = date.fromisoformat(from_text), date.fromisoformat(to_text)
    except ValueError:
        return "not_dates"
    if from_day.year < YEAR_MIN or to_day.year >= date.max.year:
        return "not_dates"
    if from_day > to_day:
        return "backwards"
    if (to_day - from_day).days >= DAYS_MAX:
        return "too_long"
    return Period(from_day=from_day, to_day=to_day)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZONE).astimezone(UTC)

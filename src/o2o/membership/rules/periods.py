"""Periods of months as people count them: they end with a local month, the end exclusive."""

from datetime import datetime
from zoneinfo import ZoneInfo

MONTHS_PER_YEAR = 12


def end_of_month_after(at: datetime, *, months: int, timezone: str) -> datetime:
    """Return the first instant after the local month that lies `months` months after `at`'s.

    In UTC. What is given on any day of November and lives twelve months ends with the next
    November.
    """
    local = at.astimezone(ZoneInfo(timezone))
    index = local.year * MONTHS_PER_YEAR + local.month - 1 + months + 1
    year, month = divmod(index, MONTHS_PER_YEAR)
    first = datetime(year, month + 1, 1, tzinfo=ZoneInfo(timezone))
    return first.astimezone(ZoneInfo("UTC"))

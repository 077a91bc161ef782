"""A clock that stands still until told otherwise."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 20, 4, 0, 0, tzinfo=UTC)  # 12:00 in Shanghai


class FakeClock:
    """Tells the time it was given."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> datetime:
        """Move on by so many seconds, minutes … (keywords of timedelta)."""
        self._now += timedelta(**by)
        return self._now

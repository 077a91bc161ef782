"""The sandbox's time: the machine's clock plus an offset that a test may move forward."""

import time
from datetime import UTC, datetime

SECONDS_PER_DAY = 86_400
# WeChat's daily quotas turn over at midnight in China, which keeps UTC+8 all year.
CHINA_OFFSET_SECONDS = 8 * 3600


class SandboxClock:
    """Seconds since the epoch; the offset only grows, as time does."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> float:
        return time.time() + self.offset_seconds


def china_day(now: float) -> int:
    """Number of the day in China, for counting daily quotas."""
    return int(now + CHINA_OFFSET_SECONDS) // SECONDS_PER_DAY


def iso(at: float) -> str:
    """An instant for people and programs outside: UTC, with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""How long a party will wait: a range and its middle, from what is known of a queue."""

from typing import Protocol

import msgspec

from o2o.queueing.rules.table_stays import wait_for
from o2o.queueing.rules.wait_learning import Learnt

# People hear full five minutes: nobody believes seven.
ROUNDED_TO_MINUTES = 5
# Of a wait nobody knows yet, the range on either side of the guess, in per cent.
COLD_LOW_PERCENT = 50
COLD_HIGH_PERCENT = 180
# A guess beyond an evening says nothing: few tables and many parties are no wait of days.
COLD_SECONDS_MAX = 6 * 3600


class WaitEstimate(msgspec.Struct, frozen=True):
    """The wait from now until the call, in seconds: four of five waits end within low … high."""

    low_seconds: int
    median_seconds: int
    high_seconds: int


class WaitModel(Protocol):
    """What is known of one queue at one moment."""

    def estimate(self, parties_ahead: int) -> WaitEstimate:
        """Return the wait of a party with so many ahead of it in order of calls."""
        ...


class ColdModel(msgspec.Struct, frozen=True, kw_only=True):
    """A queue without a history: the store's own minutes per party, shared by its servers."""

    minutes_per_party: int
    servers: int

    def estimate(self, parties_ahead: int) -> WaitEstimate:
        """Return the time in which the servers take on who is ahead, six hours at most."""
        median = parties_ahead * self.minutes_per_party * 60 // self.servers
        median = min(median, COLD_SECONDS_MAX)
        high = min(median * COLD_HIGH_PERCENT // 100, COLD_SECONDS_MAX)
        return WaitEstimate(median * COLD_LOW_PERCENT // 100, median, high)


class LearntModel(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with a history: who probably still sits, and what waits like this were like."""

    learnt: Learnt
    # Places given back by every two minutes from now (`table_stays.departures`).
    given: list[float]

    def estimate(self, parties_ahead: int) -> WaitEstimate:
        """Return the quantiles of the waits with the same expectation as this one."""
        expected = wait_for(
            self.given,
            parties_ahead=parties_ahead,
            come_share=self.learnt.stays.come_share,
        )
        low, median, high = (round(seconds) for seconds in self.learnt.ranges.at(expected))
        return WaitEstimate(low, median, high)


def rounded_minutes(seconds: int) -> int:
    """Return minutes rounded half up to full fives; any wait at all is at least five."""
    if seconds <= 0:
        return 0
    step = ROUNDED_TO_MINUTES * 60
    return max(ROUNDED_TO_MINUTES, (seconds + step // 2) // step * ROUNDED_TO_MINUTES)

"""The callback's figures, gathered for a second: writing them each time cost a twentieth."""

import asyncio

from prometheus_client import Counter

from o2o.infra.metrics import CALLBACK_SECONDS, CALLBACKS

GATHERED_SECONDS = 1.0


class CallbackTally:
    """Counts and times of callbacks, one per process."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._counts: dict[tuple[str, str], int] = {}
        self._seconds: list[float] = []
        self._counters: dict[tuple[str, str], Counter] = {}
        self._due: asyncio.TimerHandle | None = None

    def note(self, account: str, outcome: str, *, seconds: float) -> None:
        """Count a callback of an account (slug) that was answered after so many seconds."""
        place = (account, outcome)
        self._counts[place] = self._counts.get(place, 0) + 1
        self._seconds.append(seconds)
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(GATHERED_SECONDS, self.write)

    def write(self) -> None:
        """Add what was gathered to the metrics."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        counts, self._counts = self._counts, {}
        seconds, self._seconds = self._seconds, []
        for place, count in counts.items():
            counter = self._counters.get(place)
            if counter is None:
                counter = self._counters[place] = CALLBACKS.labels(*place)
            counter.inc(count)
        CALLBACK_SECONDS.observe_all(seconds)

"""The pace of work whose errands are promised soon after it: no faster than they can be done.

After an outage everybody asks at once. Whoever is let in then would be answered at once and told of
late; so they wait for their turn instead, and what they asked for happens when it can be told.
Where the errands themselves are slow, because the other house is, waiting helps nobody.
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta

from o2o.infra.database import DatabaseAway, SessionFactory
from o2o.infra.direct import reading_direct
from o2o.infra.logging import get_logger
from o2o.infra.own_loop import OwnLoop
from o2o.infra.relay_queries import NewErrands, count_new
from o2o.kernel.clock import Clock

log = get_logger(__name__)

# What a relay does within half a second on two cores that it shares with everything else.
UNDER_WAY_MAX = 40
LOOK_SECONDS = 0.05
# A database that takes longer to count them has other troubles.
COUNT_SECONDS = 0.5
# Older ones do not come of what is asked now: they are left over from an outage.
NEW_SECONDS = 5.0
# Where half of them are older than this, it is not their number that keeps them.
STALE_SECONDS = 1.0
# For so long at most not all who ask are let in, and then for a while everybody is.
HOLD_SECONDS = 5.0
FREE_SECONDS = 10.0


class Pace:
    """Tells how much may go on now.

    One per process. The errands of all processes are counted, but each looks by itself: several
    that look at one moment let in as much each.
    """

    def __init__(
        self,
        *,
        sessions: SessionFactory,
        clock: Clock,
        topics: Collection[str],
        under_way_max: int = UNDER_WAY_MAX,
    ) -> None:
        """Let so many errands of these topics be under way, first attempts that is."""
        self._sessions = sessions
        self._clock = clock
        self._topics = sorted(topics)
        self._under_way_max = under_way_max
        # Since when not all who asked were let in, and until when nobody is held (loop time).
        self._held_since: float | None = None
        self._free_until = 0.0
        self._loop = OwnLoop()

    async def room(self, wanted: int) -> int:
        """Return how many of `wanted` errands may be added now, one at least; wait for room."""
        loop = self._loop()
        while loop.time() >= self._free_until:
            new = await self._count()
            if new is None or 2 * new.stale >= self._under_way_max:
                self._give_up()
                break
            room = self._under_way_max - new.count
            if room >= wanted:
                self._held_since = None
                return wanted
            if self._held_since is None:
                self._held_since = loop.time()
            if loop.time() - self._held_since >= HOLD_SECONDS:
                self._give_up()
                break
            if room > 0:
                return room
            await asyncio.sleep(LOOK_SECONDS)
        return wanted

    def _give_up(self) -> None:
        log.warning("pace.given_up", topics=self._topics, seconds=FREE_SECONDS)
        self._held_since = None
        self._free_until = self._loop().time() + FREE_SECONDS

    async def _count(self) -> NewErrands | None:
        """Return what is under way; None when that cannot be told in time."""
        now = self._clock.now()
        try:
            async with asyncio.timeout(COUNT_SECONDS), reading_direct(self._sessions) as tx:
                return await count_new(
                    tx,
                    topics=self._topics,
                    since=now - timedelta(seconds=NEW_SECONDS),
                    stale=now - timedelta(seconds=STALE_SECONDS),
                    now=now,
                    limit=self._under_way_max,
                )
        except (DatabaseAway, TimeoutError):
            return None

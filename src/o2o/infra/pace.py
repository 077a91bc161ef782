"""The pace of work whose errands are promised soon after it: no faster than they can be done.

After an outage everybody asks at once. Whoever is let in then would be answered at once and told of
late; so they wait for their turn instead, and what they asked for happens when it can be told.
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta

from o2o.infra.database import SessionFactory
from o2o.infra.direct import reading_direct
from o2o.infra.logging import get_logger
from o2o.infra.own_loop import OwnLoop
from o2o.infra.relay_queries import count_new
from o2o.kernel.clock import Clock

log = get_logger(__name__)

# What a relay does within half a second on two cores that it shares with everything else.
UNDER_WAY_MAX = 40
LOOK_SECONDS = 0.05
# Older ones do not come of what is asked now; another house may keep them waiting for long.
NEW_SECONDS = 5.0
# Nobody waits longer for errands of which none gets done, and for a while nobody waits at all:
# work goes on without WeChat.
HOLD_SECONDS = 1.0
FREE_SECONDS = 10.0


class Pace:
    """Tells how much may go on now. One per process; the errands of all of them are counted."""

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
        self._free_until = 0.0
        self._loop = OwnLoop()

    async def room(self) -> int:
        """Return how many errands may be added now, one at least; wait a second at most for that.

        Raises DatabaseAway.
        """
        loop = self._loop()
        held_until = loop.time() + HOLD_SECONDS
        while loop.time() >= self._free_until:
            room = self._under_way_max - await self._count()
            if room > 0:
                return room
            if loop.time() >= held_until:
                log.warning("pace.given_up", topics=self._topics, seconds=FREE_SECONDS)
                self._free_until = loop.time() + FREE_SECONDS
                break
            await asyncio.sleep(LOOK_SECONDS)
        return self._under_way_max

    async def _count(self) -> int:
        now = self._clock.now()
        async with reading_direct(self._sessions) as tx:
            return await count_new(
                tx,
                topics=self._topics,
                since=now - timedelta(seconds=NEW_SECONDS),
                limit=self._under_way_max,
            )

"""A lane of the intake: the coalescer, with a cheap time limit for every message in it."""

import asyncio
from collections import deque

from o2o.infra.coalescer import BatchAction, Coalescer, QueueFull
from o2o.infra.database import SessionFactory
from o2o.wechat.inbox import Kept, Received


class Lane(Coalescer[Received, Kept]):
    """Commits messages in batches, one batch at a time.

    A timer of its own for each message would cost as much as decrypting it. Deadlines come in
    their order, so one timer for the oldest message is enough.
    """

    def __init__(
        self,
        action: BatchAction[Received, Kept],
        *,
        sessions: SessionFactory,
        batch_max: int,
        queue_max: int,
    ) -> None:
        """Run `action` over batches of at most `batch_max`."""
        super().__init__(action, sessions=sessions, batch_max=batch_max, queue_max=queue_max)
        self._timed: deque[tuple[float, asyncio.Future[Kept]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    def enqueue(self, received: Received, *, deadline: float) -> asyncio.Future[Kept]:
        """Queue a message; its future fails with TimeoutError at `deadline` (loop time).

        The message may still be committed after that. Raises QueueFull.
        """
        if len(self._waiting) >= self._queue_max:
            raise QueueFull(retry_after_seconds=1)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Kept] = loop.create_future()
        self._waiting.append((received, done))
        if self._flusher is None:
            self._flusher = loop.create_task(self._flush())
        self._time(deadline, done, loop)
        return done

    def _time(
        self, deadline: float, done: asyncio.Future[Kept], loop: asyncio.AbstractEventLoop
    ) -> None:
        timed = self._timed
        while timed and timed[0][1].done():
            timed.popleft()
        timed.append((deadline, done))
        if self._alarm is None:
            self._alarm = loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        """Fail what is late, and wait for the next."""
        self._alarm = None
        loop = asyncio.get_running_loop()
        timed = self._timed
        while timed and (timed[0][1].done() or timed[0][0] <= loop.time()):
            _, done = timed.popleft()
            if not done.done():
                done.set_exception(TimeoutError())
        if timed:
            self._alarm = loop.call_at(timed[0][0], self._ring)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                # Those who were just answered come back with their next message, and those who
                # wait for the loop get in: under load the batches fill without any timer.
                await asyncio.sleep(0)
                batch = self._waiting[: self._batch_max]
                del self._waiting[: self._batch_max]
                await self._commit(batch)
        finally:
            self._flusher = None

"""The lane of the intake: a coalescer that keeps each person's order and everybody's deadline."""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

from o2o.infra.coalescer import BatchAction, Coalescer, QueueFull
from o2o.infra.database import SessionFactory, Tx, transaction, transaction_on_demand
from o2o.infra.direct import Direct, direct_of, lead_past
from o2o.infra.own_loop import OwnLoop
from o2o.kernel.errors import Fact
from o2o.wechat.actions.receive_messages import KeptBefore
from o2o.wechat.inbox import Kept, Received
from o2o.wechat.recent import Recent

BATCHES = 2
# A batch that takes longer waits for something, which need not concern the others.
SLOW_SECONDS = 0.1
# A batch takes half of those who wait, so that there is always one to be read, decrypted and
# answered while the other is being committed. Smaller ones cost more than they win.
HALF_FROM = 32
# WeChat sends again what was not answered within five seconds, three times.
CAREFUL_SECONDS = 5.0


class Lane(Coalescer[Received, Kept]):
    """Commits messages in batches, one after another; beside a slow one the next may go.

    Nobody has messages in two batches under way, so each person's are answered in their order.
    A timer of its own for each message would cost as much as decrypting it. Deadlines come in
    their order, so one timer for the oldest message is enough.
    """

    def __init__(
        self,
        action: BatchAction[Received, Kept],
        *,
        careful: BatchAction[Received, Kept],
        sessions: SessionFactory,
        batch_max: int,
        queue_max: int,
    ) -> None:
        """Run `action` over batches of at most `batch_max`; `careful` when it raises KeptBefore."""
        super().__init__(action, sessions=sessions, batch_max=batch_max, queue_max=queue_max)
        self._careful = careful
        self._directs = [direct_of(sessions) for _ in range(BATCHES)]
        # Those no batch is using.
        self._spare = list(self._directs)
        # Sessions that never began, for the next batches.
        self._unbegun: list[Tx] = []
        self._flushers: set[asyncio.Task[None]] = set()
        # Whose batch waits for something.
        self._slow: set[asyncio.Task[None]] = set()
        self._under_way: set[tuple[UUID, str]] = set()
        self._recent = Recent()
        # Until when (loop time) nothing is assumed to be new.
        self._careful_until = 0.0
        self._timed: deque[tuple[float, asyncio.Future[Kept]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = OwnLoop()

    def enqueue(self, received: Received, *, deadline: float) -> asyncio.Future[Kept]:
        """Queue a message; its future fails with TimeoutError at `deadline` (loop time).

        The message may still be committed after that. Raises QueueFull.
        """
        if len(self._waiting) >= self._queue_max:
            raise QueueFull(retry_after_seconds=1)
        loop = self._loop()
        done: asyncio.Future[Kept] = loop.create_future()
        self._waiting.append((received, done))
        if not self._flushers or self._slow:
            self._begin()
        self._time(deadline, done, loop)
        return done

    def _note_slow(self, flusher: asyncio.Task[None]) -> None:
        """Let those who wait by now, and who come while it lasts, not wait for this batch."""
        self._slow.add(flusher)
        self._begin()

    def _begin(self) -> None:
        """Let somebody take the next batch, unless enough are at it or nobody waits."""
        if self._waiting and len(self._flushers) < BATCHES:
            self._flushers.add(self._loop().create_task(self._flush()))

    async def close(self) -> None:
        """Finish what is under way and leave the database."""
        await self.drain()
        for direct in self._directs:
            await direct.close()

    async def drain(self) -> None:
        """Wait until everything queued so far is answered."""
        while self._flushers:
            await asyncio.wait(self._flushers)

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
        loop = self._loop()
        timed = self._timed
        while timed and (timed[0][1].done() or timed[0][0] <= loop.time()):
            _, done = timed.popleft()
            if not done.done():
                done.set_exception(TimeoutError())
        if timed:
            self._alarm = loop.call_at(timed[0][0], self._ring)

    async def _run(self, commands: Sequence[Received]) -> Sequence[Kept | Fact]:
        now = self._loop().time()
        direct = self._spare.pop()
        try:
            return await self._run_on(direct, commands, now=now)
        finally:
            self._spare.append(direct)

    async def _run_on(
        self, direct: Direct, commands: Sequence[Received], *, now: float
    ) -> Sequence[Kept | Fact]:
        if not self._recent.has_any(commands, now=now) and now >= self._careful_until:
            try:
                async with transaction_on_demand(self._sessions, spare=self._unbegun) as tx:
                    lead_past(tx, direct)
                    return await self._action(tx, commands)
            except KeptBefore:
                # Retries come in swarms, from the same bad minute.
                self._careful_until = now + CAREFUL_SECONDS
        async with transaction(self._sessions) as tx:
            return await self._careful(tx, commands)

    async def _flush(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            # Those who wait for the loop get in: under load the batches fill without any timer.
            await asyncio.sleep(0)
            while self._waiting:
                if len(self._flushers) > 1 and not self._slow:
                    # The other goes on alone.
                    return
                batch = self._take()
                if not batch:
                    # All of them wait for the other batch, whose flusher looks again.
                    return
                alarm = self._loop().call_later(SLOW_SECONDS, self._note_slow, task)
                people = {received.person for received, _ in batch}
                self._under_way |= people
                try:
                    await self._commit(batch)
                finally:
                    self._under_way -= people
                    alarm.cancel()
                    self._slow.discard(task)
                # Let the answers go out before the database gets the next batch: where it and
                # those who are answered share a core, messages took a tenth longer otherwise.
                await asyncio.sleep(0)
        finally:
            self._flushers.discard(task)

    def _take(self) -> list[tuple[Received, asyncio.Future[Kept]]]:
        """Remove the next batch from the queue, passing over people who are in another one."""
        waiting = self._waiting
        limit = min(self._batch_max, max(HALF_FROM, len(waiting) // 2))
        if not self._under_way:
            batch = waiting[:limit]
            del waiting[:limit]
            return batch
        batch = []
        rest: list[tuple[Received, asyncio.Future[Kept]]] = []
        for one in waiting:
            is_free = len(batch) < limit and one[0].person not in self._under_way
            (batch if is_free else rest).append(one)
        waiting[:] = rest
        return batch

"""A lane of the intake: the coalescer, with a cheap time limit for every message in it."""

import asyncio
from collections import deque
from collections.abc import Sequence

from o2o.infra.coalescer import BatchAction, Coalescer, QueueFull
from o2o.infra.database import SessionFactory, transaction, transaction_on_demand
from o2o.infra.direct import direct_of, lead_past
from o2o.kernel.errors import Fact
from o2o.wechat.actions.receive_messages import KeptBefore
from o2o.wechat.inbox import Kept, Received

# WeChat sends again what was not answered within five seconds, three times.
CAREFUL_SECONDS = 5.0
REMEMBERED_SECONDS = 30.0
# Numbers, about 1 MiB in all.
REMEMBERED_MAX = 8_000


class Recent:
    """What this process was sent lately, so that a retry is known before anything is done for it.

    A hint only, for the inbox's unique keys decide. Two generations: the older is forgotten whole.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        # Hashes: two messages with the same one are taken for a retry, which is only slower.
        self._now: set[int] = set()
        self._before: set[int] = set()
        self._turns_at = 0.0

    def has_any(self, batch: Sequence[Received], *, now: float) -> bool:
        """Whether a message or a nonce of the batch came before; remember them all."""
        marks = {hash(one.place) for one in batch}
        marks.update(hash((one.account.id, one.signed_at, one.nonce)) for one in batch)
        is_known = not (marks.isdisjoint(self._now) and marks.isdisjoint(self._before))
        if now >= self._turns_at or len(self._now) > REMEMBERED_MAX:
            self._before, self._now = self._now, set()
            self._turns_at = now + REMEMBERED_SECONDS
        self._now |= marks
        return is_known


class Lane(Coalescer[Received, Kept]):
    """Commits messages in batches, one batch at a time.

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
        self._direct = direct_of(sessions)
        self._recent = Recent()
        # Until when (loop time) nothing is assumed to be new.
        self._careful_until = 0.0
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

    async def close(self) -> None:
        """Finish what is under way and leave the database."""
        await self.drain()
        await self._direct.close()

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

    async def _run(self, commands: Sequence[Received]) -> Sequence[Kept | Fact]:
        now = asyncio.get_running_loop().time()
        if not self._recent.has_any(commands, now=now) and now >= self._careful_until:
            try:
                async with transaction_on_demand(self._sessions) as tx:
                    lead_past(tx, self._direct)
                    return await self._action(tx, commands)
            except KeptBefore:
                # Retries come in swarms, from the same bad minute.
                self._careful_until = now + CAREFUL_SECONDS
        async with transaction(self._sessions) as tx:
            return await self._careful(tx, commands)

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

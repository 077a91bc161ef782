"""The coalescer: commits together whatever queued up while the previous commit ran.

One flusher per kind of command and process, no timer: the first command goes at once, those
that arrive meanwhile share the next transaction. Callers are answered after the commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from o2o.infra.database import DatabaseAway, SessionFactory, Tx, transaction
from o2o.infra.logging import get_logger
from o2o.kernel.errors import Fact, Unavailable

log = get_logger(__name__)

C = TypeVar("C")
R = TypeVar("R")

# A set-based action: one result or one named fact per command, in order.
BatchAction = Callable[[Tx, Sequence[C]], Awaitable[Sequence[R | Fact]]]
# How many of so many commands may be done now, one at least; may wait.
Room = Callable[[int], Awaitable[int]]


class QueueFull(Unavailable):
    """More commands wait than can be served in reasonable time."""

    code = "server.overloaded"


class Coalescer(Generic[C, R]):
    """Gathers commands of one kind into transactions."""

    def __init__(
        self,
        action: BatchAction[C, R],
        *,
        sessions: SessionFactory,
        batch_max: int = 128,
        queue_max: int = 4096,
        room: Room | None = None,
    ) -> None:
        """Run `action` over batches of at most `batch_max`; refuse beyond `queue_max` waiting.

        With `room` each batch waits for it and takes no more.
        """
        self._action = action
        self._sessions = sessions
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._room = room
        self._waiting: list[tuple[C, asyncio.Future[R]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def submit(self, command: C) -> R:
        """Do the command in the next batch; return after its commit.

        Raises the command's own Fact, QueueFull, or DatabaseAway (outcome unknown: send again
        with the same request id).
        """
        if len(self._waiting) >= self._queue_max:
            raise QueueFull(retry_after_seconds=1)
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, done))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return await done

    async def drain(self) -> None:
        """Wait until everything submitted so far is answered (for a clean shutdown)."""
        while self._flusher is not None:
            await asyncio.shield(self._flusher)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                size = await self._size()
                batch = self._waiting[:size]
                del self._waiting[:size]
                await self._commit(batch)
        finally:
            self._flusher = None

    async def _size(self) -> int:
        """Return how many commands the next batch may hold."""
        if self._room is None:
            return self._batch_max
        try:
            wanted = len(self._waiting)
            return min(self._batch_max, await self._room(wanted))
        except Exception as error:  # noqa: BLE001 - where nobody can tell, nobody is held up
            log.warning("coalescer.room_unknown", error=repr(error))
            return self._batch_max

    async def _commit(self, batch: list[tuple[C, asyncio.Future[R]]]) -> None:
        try:
            results = await self._run([command for command, _ in batch])
        except DatabaseAway as error:
            # Unknown outcome. Commands carry request ids, so one more try finds or makes it.
            log.warning("coalescer.database_away", commands=len(batch), error=repr(error))
            await self._once_more(batch)
            return
        except Exception as error:  # noqa: BLE001 - one bad command must not fail its neighbours
            log.warning("coalescer.batch_failed", commands=len(batch), error=repr(error))
            await self._one_by_one(batch, error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            _answer(done, result)

    async def _run(self, commands: Sequence[C]) -> Sequence[R | Fact]:
        async with transaction(self._sessions) as tx:
            return await self._action(tx, commands)

    async def _once_more(self, batch: list[tuple[C, asyncio.Future[R]]]) -> None:
        try:
            results = await self._run([command for command, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to every caller
            for _, done in batch:
                _fail(done, error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            _answer(done, result)

    async def _one_by_one(
        self, batch: list[tuple[C, asyncio.Future[R]]], batch_error: Exception
    ) -> None:
        if len(batch) == 1:
            _fail(batch[0][1], batch_error)
            return
        for command, done in batch:
            try:
                [result] = await self._run([command])
            except Exception as error:  # noqa: BLE001 - handed to its caller
                _fail(done, error)
            else:
                _answer(done, result)


def _answer(done: asyncio.Future[R], result: R | Fact) -> None:
    if done.done():  # The caller went away; what was committed stays.
        return
    if isinstance(result, Fact):
        done.set_exception(result)
    else:
        done.set_result(result)


def _fail(done: asyncio.Future[R], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)

"""A bell for one who waits: rung by whoever has news, without a task for each wait."""

import asyncio


class Bell:
    """Wakes one coroutine. However often it is rung before that waits, it wakes once."""

    __slots__ = ("_is_rung", "_waiter")

    def __init__(self) -> None:
        """Be silent."""
        self._is_rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake who waits, or spare the next its wait."""
        self._is_rung = True
        self._end_wait()

    def hush(self) -> None:
        """Forget that it was rung: what it was rung for is known."""
        self._is_rung = False

    async def wait(self, *, seconds: float) -> bool:
        """Return True when it was rung since the last time, False after so many seconds."""
        if not self._is_rung:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            alarm = loop.call_later(seconds, self._end_wait)
            try:
                await self._waiter
            finally:
                alarm.cancel()
                self._waiter = None
        was_rung, self._is_rung = self._is_rung, False
        return was_rung

    def _end_wait(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

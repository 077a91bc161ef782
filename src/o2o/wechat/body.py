"""Reading the body of a callback: bounded in bytes and in time, with one timer for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from o2o.infra.own_loop import OwnLoop
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.xml import BODY_SIZE_MAX

DECLARED_DIGITS_MAX = 7

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyReader:
    """Reads bodies, one per process.

    A client may send its headers and then nothing, so the first piece is waited for within the
    limit too. A timer of its own for each request would cost every message; here a request costs
    an entry in a dictionary, and the timer goes off when the earliest entry could be late.
    """

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._late_at: dict[asyncio.Task[Any], float] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = OwnLoop()

    async def read(
        self, receive_more: Receive, *, deadline: float, declared: int | None = None
    ) -> bytes:
        """Return the body; `deadline` is a moment of the event loop's clock.

        `declared` is what `declared_size` found: the server says that a body is over only when it
        is asked once more, which is spared when the declared bytes are here. Raises
        CallbackRefused (body_too_large, body_empty).
        """
        task = asyncio.current_task(self._loop())
        if task is None:
            raise RuntimeError("a body is read inside a task")
        self._late_at[task] = deadline
        self._wake_at(deadline)
        try:
            message = await receive_more()
            body: bytes = message.get("body", b"")
            # WeChat's messages come in one piece.
            if len(body) == declared or not message.get("more_body"):
                return body
            return await _joined(message, receive_more)
        except asyncio.CancelledError:
            # Ours is the cancellation that took the entry away; another's is passed on.
            if task in self._late_at or task.uncancel() > 0:
                raise
            raise CallbackRefused(RefusalCode.BODY_EMPTY, "the body did not arrive") from None
        finally:
            self._late_at.pop(task, None)

    def _wake_at(self, deadline: float) -> None:
        if self._alarm is not None:
            if self._alarm.when() <= deadline:
                return
            self._alarm.cancel()
        self._alarm = self._loop().call_at(deadline, self._ring)

    def _ring(self) -> None:
        """Stop those that are late, and wait for the next."""
        self._alarm = None
        now = self._loop().time()
        for task in [task for task, late_at in self._late_at.items() if late_at <= now]:
            del self._late_at[task]
            task.cancel()
        if self._late_at:
            self._wake_at(min(self._late_at.values()))


def declared_size(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the Content-Length of a request; None without one, or where no body may be so long."""
    for name, value in headers:
        if name == b"content-length":
            # The server has judged it already; this only has to be read without a fault.
            is_number = value.isdigit() and len(value) <= DECLARED_DIGITS_MAX
            return int(value) if is_number else None
    return None


async def _joined(message: MutableMapping[str, Any], receive_more: Receive) -> bytes:
    """Put the pieces together. Raises CallbackRefused (body_too_large)."""
    parts = [message.get("body", b"")]
    size = len(parts[0])
    while message.get("more_body"):
        message = await receive_more()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_SIZE_MAX:
            raise CallbackRefused(RefusalCode.BODY_TOO_LARGE, "bytes")
    return b"".join(parts)

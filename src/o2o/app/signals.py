"""Hearing of a signal to stop beside the server, which answers it in its own way."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hear_of_stop(on_stop: Callable[[], None]) -> None:
    """Call `on_stop` in the running loop when this process is told to stop.

    Call it where a server's own handlers are in place already: they go on as before. granian says
    nothing to an application before the last connection is closed. A signal in the milliseconds
    between starting and serving reaches `on_stop` and not granian, which kills such a worker later.
    """
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        before = signal.getsignal(number)
        # A default ends the process by itself; in its place we would make it deaf to the signal.
        if callable(before):
            signal.signal(number, _beside(before, on_stop, loop))


def _beside(
    before: Handler, on_stop: Callable[[], None], loop: asyncio.AbstractEventLoop
) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        # Handlers stay when the loop is closed, and nothing can be called in it any more.
        if not loop.is_closed():
            loop.call_soon_threadsafe(on_stop)
        before(number, frame)

    return handle

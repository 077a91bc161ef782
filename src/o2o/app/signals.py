"""Hearing of a signal to stop beside the server, which answers it in its own way."""

import asyncio
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hear_of_stop(told: Callable[[], None]) -> None:
    """Call `told` in the running loop when this process is told to stop.

    Call it where the loop's own handlers are in place already: they go on as before. granian says
    nothing to an application before the last connection is closed.
    """
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        signal.signal(number, _beside(signal.getsignal(number), told, loop))


def _beside(
    before: Any, told: Callable[[], None], loop: asyncio.AbstractEventLoop
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        # The loop's own handlers outlive it; who is told then is the interpreter alone.
        if not loop.is_closed():
            loop.call_soon_threadsafe(told)
        if callable(before):
            before(number, frame)

    return handle

"""The event loop of something that lives in one: asked for once."""

import asyncio


class OwnLoop:
    """Returns the running loop. Asking Python each time is a system call each time."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        """Ask when first called, which is inside the loop."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self) -> asyncio.AbstractEventLoop:
        """Return the loop in which this was first called. Raises RuntimeError outside of any."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        return loop

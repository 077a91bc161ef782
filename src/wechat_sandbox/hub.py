"""The live stream to phones: every committed change goes to every listener as a small notice."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

QUEUE_MAX = 1000
HEARTBEAT_SECONDS = 15.0


class Hub:
    """Listeners that do not keep up lose their stream and reconnect; nobody waits for them."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str | None]] = set()
        self._is_closed = False

    def announce(self, notice: dict[str, Any]) -> None:
        line = f"data: {json.dumps(notice, ensure_ascii=False)}\n\n"
        for queue in list(self._queues):
            try:
                queue.put_nowait(line)
            except asyncio.QueueFull:
                self._drop(queue)

    def _drop(self, queue: asyncio.Queue[str | None]) -> None:
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._is_closed = True
        for queue in list(self._queues):
            self._drop(queue)

    async def lines(self) -> AsyncIterator[str]:
        """Server-sent events until the listener leaves or the hub closes."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE_MAX)
        if self._is_closed:
            return
        self._queues.add(queue)
        try:
            yield 'retry: 1000\ndata: {"kind": "hello"}\n\n'
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        line = await queue.get()
                except TimeoutError:
                    line = ": still here\n\n"
                if line is None:
                    return
                yield line
        finally:
            self._queues.discard(queue)

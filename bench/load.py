"""The load: prebuilt requests over keep-alive connections, each sending when it was answered.

A raw protocol, so that the generator costs little beside what it measures. Closed loop: a slow
server is asked less often, which flatters its latencies, and everybody's alike.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import cast
from urllib.parse import urlsplit

import msgspec

from bench.figures import Round, summed_up
from bench.machine import family_cpu_seconds

CONNECTIONS = 64
# After the last request was sent, answers may take this long; then the round failed.
DRAIN_SECONDS = 10.0
SAMPLE_EVERY = 97


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask and what a right answer looks like."""

    name: str
    url: str
    # Status and a text that must be in the body of every answer.
    status: bytes = b"200"
    holds: bytes = b""
    # Whose processor time is counted; 0 counts nobody's.
    pid: int = 0
    # Opens a sample of the answers; raises when one is wrong.
    check: Callable[[bytes], object] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port


class _Run:
    """What the connections of one round share."""

    def __init__(self, target: Target, requests: Iterable[bytes], *, until: float) -> None:
        self.target = target
        self.requests: Iterator[bytes] = iter(requests)
        self.until = until
        self.latencies: list[float] = []
        self.samples: list[bytes] = []
        self.errors: Counter[str] = Counter()
        self.open = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def closed(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.over.done():
            self.over.set_result(None)


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, run: _Run) -> None:
        """Wait to be connected."""
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._held = b""
        self._sent_at = 0.0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it; `ask` begins."""
        # Not asserted: uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._run.open += 1

    def ask(self) -> None:
        """Send the next request, or close when time or requests are up."""
        run = self._run
        now = time.perf_counter()
        request = next(run.requests, None) if now < run.until else None
        assert self._transport is not None
        self._is_waiting = request is not None
        if request is None:
            self._transport.close()
            return
        self._sent_at = now
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a whole answer, or wait for the rest of it."""
        if self._held:
            data = self._held + data
        head_end = data.find(b"\r\n\r\n")
        if head_end < 0:
            self._held = data
            return
        length = content_length(data, head_end)
        if length is None:
            self._run.errors["answer without a length"] += 1
            self._is_waiting = False
            assert self._transport is not None
            self._transport.abort()
            return
        body_start = head_end + 4
        if len(data) < body_start + length:
            self._held = data
            return
        self._held = b""
        self._answered(data, body_start)
        self.ask()

    def _answered(self, data: bytes, body_start: int) -> None:
        run = self._run
        target = run.target
        if data[9:12] != target.status or data.find(target.holds, body_start) < 0:
            run.errors[f"status {data[9:12].decode('latin-1')}"] += 1
            return
        run.latencies.append(time.perf_counter() - self._sent_at)
        if len(run.latencies) % SAMPLE_EVERY == 0:
            run.samples.append(data[body_start:])

    def connection_lost(self, _: Exception | None) -> None:
        """Note an answer that never came."""
        if self._is_waiting:
            self._run.errors["connection lost"] += 1
        self._run.closed()


def content_length(data: bytes, head_end: int) -> int | None:
    """Return the length that an answer's head declares, None when it declares none."""
    at = data.find(b"ontent-", 0, head_end)
    while at >= 0:
        if data[at + 7 : at + 14].lower() == b"length:":
            return int(data[at + 14 : data.find(b"\r", at)])
        at = data.find(b"ontent-", at + 7, head_end)
    return None


async def run_round(
    target: Target,
    requests: Iterable[bytes],
    *,
    seconds: float,
    connections: int = CONNECTIONS,
) -> Round:
    """Ask for so many seconds, or until `requests` run out, and wait for every answer."""
    loop = asyncio.get_running_loop()
    run = _Run(target, requests, until=0.0)
    host, port = target.address
    opened = [
        (await loop.create_connection(lambda: Connection(run), host, port))[1]
        for _ in range(connections)
    ]
    gc.collect()
    gc.disable()
    cpu_before = family_cpu_seconds(target.pid) if target.pid else 0.0
    try:
        started = time.perf_counter()
        run.until = started + seconds
        for connection in opened:
            connection.ask()
        await asyncio.wait_for(run.over, seconds + DRAIN_SECONDS)
        took = time.perf_counter() - started
    finally:
        gc.enable()
    cpu = family_cpu_seconds(target.pid) - cpu_before if target.pid else 0.0
    if target.check is not None:
        for body in run.samples:
            target.check(body)
    one = summed_up(target.name, seconds=took, latencies=run.latencies, errors=dict(run.errors))
    return msgspec.structs.replace(one, server_us=1e6 * cpu / max(1, one.answered))

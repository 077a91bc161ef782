"""An open loop: requests leave when they are due, whether earlier ones were answered or not.

Latency counts from the moment a request was due, so a stall is seen by everybody it kept waiting.
A raw protocol, so that the generator costs little beside what it measures.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

import msgspec

from bench.load import content_length

CONNECTIONS_MAX = 256
DRAIN_SECONDS = 30.0


class Question(msgspec.Struct, frozen=True):
    """One request: its kind, address and cookie."""

    kind: str
    path: str
    cookie: str

    @property
    def text(self) -> bytes:
        """The request as it is sent."""
        head = f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n"
        return f"{head}Cookie: {self.cookie}\r\n\r\n".encode()


class Answered(msgspec.Struct, frozen=True):
    """How one question fared: status 0 where no answer came."""

    question: Question
    status: int
    milliseconds: float


class _Line(asyncio.Protocol):
    """One keep-alive connection with at most one question under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._held = b""
        self._told: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, question: Question) -> asyncio.Future[int]:
        assert self.transport is not None
        self._told = asyncio.get_running_loop().create_future()
        self.transport.write(question.text)
        return self._told

    def give_up(self) -> None:
        """Close a connection on which an answer may still come."""
        if self.transport is not None:
            self.transport.abort()
            self.transport = None

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        head_end = data.find(b"\r\n\r\n")
        length = content_length(data, head_end) if head_end >= 0 else None
        if head_end < 0 or (length is not None and len(data) < head_end + 4 + length):
            self._held = data
            return
        self._held = b""
        if self._told is not None and not self._told.done():
            self._told.set_result(int(data[9:12]) if length is not None else 0)

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        if self._told is not None and not self._told.done():
            self._told.set_result(0)


async def ask_when_due(
    address: tuple[str, int], asked: Sequence[Question], *, rate: int
) -> list[Answered]:
    """Send each question at its time; return how each fared, in the order of answers."""
    idle: list[_Line] = []
    answered: list[Answered] = []
    loop = asyncio.get_running_loop()
    lines = asyncio.Semaphore(CONNECTIONS_MAX)
    begins = time.perf_counter() + 0.5

    async def open_line() -> _Line:
        # The server closes lines on which nothing was asked for a while.
        while idle:
            if (line := idle.pop()).transport is not None:
                return line
        return (await loop.create_connection(_Line, *address))[1]

    async def one(number: int, question: Question) -> None:
        due = begins + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        async with lines:
            line = await open_line()
            try:
                status = await asyncio.wait_for(line.ask(question), DRAIN_SECONDS)
            except TimeoutError:
                status = 0
                line.give_up()
            took = time.perf_counter() - due
        if line.transport is not None:
            idle.append(line)
        answered.append(Answered(question, status, took * 1000))

    await asyncio.gather(*(one(number, question) for number, question in enumerate(asked)))
    for line in idle:
        if line.transport is not None:
            line.transport.close()
    return answered

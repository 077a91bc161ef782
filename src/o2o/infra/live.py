"""The live hub: pushes small messages to open event streams of every worker.

A change sends an errand `live.push` through the outbox; the relay says it with NOTIFY (never a
business transaction: NOTIFY serialises commits); each worker listens on one connection and
hands the message to the streams that watch its topic.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import asyncpg
import msgspec
from sqlalchemy import text

from o2o.infra.bell import Bell
from o2o.infra.database import SessionFactory
from o2o.infra.direct import fetch_rows, reading_direct
from o2o.infra.logging import get_logger
from o2o.infra.metrics import LIVE_STREAMS
from o2o.infra.outbox import Errand

log = get_logger(__name__)

CHANNEL = "o2o_live"
TOPIC = "live.push"
STREAM_BACKLOG_MAX = 32

_NOTIFY = text("SELECT pg_notify(:channel, said) FROM unnest(CAST(:messages AS text[])) AS said")


class LiveMessage(msgspec.Struct, frozen=True):
    """What a stream hears: an event name and a small JSON body."""

    topic: str
    event: str
    data: dict[str, Any]


def live_push(topic: str, event: str, data: dict[str, Any]) -> Errand:
    """Make the errand that pushes a message to everyone who watches `topic`."""
    return Errand(topic=TOPIC, payload={"topic": topic, "event": event, "data": data})


class Broadcaster:
    """The relay's side: says a message to all workers."""

    def __init__(self, sessions: SessionFactory) -> None:
        """Speak over the relay's own database connections."""
        self._sessions = sessions

    async def perform(self, payload: dict[str, Any]) -> None:
        """Perform the errand `live.push`."""
        await self.perform_many([payload])

    async def perform_many(self, payloads: Sequence[dict[str, Any]]) -> None:
        """Perform the errands `live.push` that are in hand, in one statement."""
        await self._say([msgspec.json.encode(payload).decode() for payload in payloads])

    async def say(self, messages: Sequence[LiveMessage]) -> None:
        """Say some messages at once."""
        await self._say([msgspec.json.encode(message).decode() for message in messages])

    async def _say(self, messages: Sequence[str]) -> None:
        async with reading_direct(self._sessions) as tx:
            await fetch_rows(tx, _NOTIFY, {"channel": CHANNEL, "messages": list(messages)})


class Watch:
    """One stream's look at a topic: what was said and not taken yet, and a bell for more.

    Entered as a context; bounded: who is slow to take loses the oldest.
    """

    __slots__ = ("_said", "_watches", "bell", "topic")

    def __init__(self, topic: str, watches: dict[str, set["Watch"]]) -> None:
        """Know nothing yet; stand in `watches` while entered."""
        self.topic = topic
        self.bell = Bell()
        self._said: list[LiveMessage] = []
        self._watches = watches

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._watches.setdefault(self.topic, set()).add(self)
        LIVE_STREAMS.inc()
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        LIVE_STREAMS.dec()
        beside = self._watches[self.topic]
        beside.discard(self)
        if not beside:
            del self._watches[self.topic]

    def say(self, message: LiveMessage) -> None:
        """Keep a message until it is taken."""
        if len(self._said) >= STREAM_BACKLOG_MAX:
            del self._said[0]
        self._said.append(message)
        self.bell.ring()

    def take(self) -> list[LiveMessage]:
        """Return what was said since the last time, the oldest first."""
        said, self._said = self._said, []
        self.bell.hush()
        return said


class Hub:
    """A worker's side: who in this process watches what."""

    def __init__(self, database_url: str) -> None:
        """Listen on the database behind `database_url` once `run` is called."""
        self._url = database_url.replace("postgresql+asyncpg://", "postgresql://")
        self._watches: dict[str, set[Watch]] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let `run` return, and whoever watches look at `is_stopping`."""
        self._stopping.set()
        for watch in [watch for watches in self._watches.values() for watch in watches]:
            watch.bell.ring()

    @property
    def is_stopping(self) -> bool:
        """Whether open streams should end."""
        return self._stopping.is_set()

    def watch(self, topic: str) -> Watch:
        """Return a look at a topic, which begins when it is entered."""
        return Watch(topic, self._watches)

    def hand_out(self, message: LiveMessage) -> None:
        """Give a message to every stream of this process that watches its topic."""
        for watch in tuple(self._watches.get(message.topic, ())):
            watch.say(message)

    async def run(self) -> None:
        """Listen until stopped; reconnect when the database comes back."""
        while not self._stopping.is_set():
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("live.listener_lost", error=repr(error))
            try:
                await asyncio.wait_for(self._stopping.wait(), 1.0)
            except TimeoutError:
                continue

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=5)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, self._heard)
        waits = [asyncio.create_task(e.wait()) for e in (lost, self._stopping)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            if not connection.is_closed():
                await connection.close(timeout=2)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        self.hand_out(msgspec.json.decode(str(payload), type=LiveMessage))

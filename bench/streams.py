"""Comparison 3: two thousand open event streams on one worker leave other requests alone.

The same requests are measured without and with the streams open, in turns; at the end a message
is said to some members, to see that the streams live.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast
from uuid import UUID

import asyncpg
import msgspec

from bench.arena import Arena
from bench.database import Postgres, checkpoint
from bench.figures import Round
from bench.findings import Claim, Finding
from bench.load import Target, run_round
from bench.machine import allow_many_files, cpu_seconds, resident_mib
from bench.messages import Messages, ReplyCheck
from bench.servers import Server
from bench.world import MEMBERS, World, member_id, open_diner_sessions
from o2o.crm.statuses import Audience
from o2o.infra.live import CHANNEL
from o2o.infra.settings import Settings
from o2o.web.cookies import cookie_name

STREAMS = 2000
OPENED_AT_ONCE = 50
OPEN_SECONDS = 60.0
HEARD_SECONDS = 10.0
TOLD_MEMBERS = 100
IDLE_SECONDS = 2.0
LOOKUP = "member lookup"
CALLBACK = "callback"
WITHOUT = ", no streams"
WITH = f", {STREAMS} streams"
MEMORY = "worker RSS with streams, MiB"
# More than are answered in a second here.
LOOKUPS_PER_SECOND = 8000
MESSAGES_PER_SECOND = 14_000
WARM_UP_SECONDS = 1.0
# Lookups come over few connections: how long one waits is the question, not how many there are.
FEW = 8
RSS_MIB_MAX = 200


class Stream(asyncio.Protocol):
    """One browser that listens."""

    def __init__(self, request: bytes) -> None:
        """Ask with `request` when connected."""
        loop = asyncio.get_running_loop()
        self._request = request
        self.is_open: asyncio.Future[None] = loop.create_future()
        self.heard: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take the head, then whatever is said; refusals are not streams."""
        if not self.is_open.done():
            if data[9:12] == b"200":
                self.is_open.set_result(None)
            else:
                self.is_open.set_exception(RuntimeError(data[:400].decode("latin-1")))
        if b"event: " in data and not self.heard.done():
            self.heard.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        """Note it; nobody should lose one here."""
        self.is_lost = True
        if not self.is_open.done():
            self.is_open.set_exception(RuntimeError("connection lost"))


@asynccontextmanager
async def open_streams(
    server: Server, world: World, cookies: Sequence[str]
) -> AsyncGenerator[list[Stream], None]:
    """Open one stream per cookie and close them at the end."""
    host, port = Target(name="", url=server.url).address
    name = cookie_name(Settings(public_url=server.url), Audience.DINER.value)
    loop = asyncio.get_running_loop()
    streams: list[Stream] = []
    try:
        for start in range(0, len(cookies), OPENED_AT_ONCE):
            part = [
                Stream(_request(world, f"{name}={cookie}"))
                for cookie in cookies[start : start + OPENED_AT_ONCE]
            ]
            streams += part
            for stream in part:
                await loop.create_connection(partial(_same, stream), host, port)
            await asyncio.wait_for(asyncio.gather(*(one.is_open for one in part)), OPEN_SECONDS)
        yield streams
    finally:
        for stream in streams:
            if stream.transport is not None:
                stream.transport.abort()


def _same(stream: Stream) -> Stream:
    return stream


def _request(world: World, cookie: str) -> bytes:
    return (
        f"GET /h5/{world.account.slug}/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Accept: text/event-stream\r\nCookie: {cookie}\r\n\r\n"
    ).encode()


async def compare_streams(arena: Arena) -> Finding:
    """Measure lookups and callbacks without and with the streams."""
    allow_many_files()
    cookies = await open_diner_sessions(
        arena.postgres.url, arena.world, member_ids=[member_id(number) for number in range(STREAMS)]
    )
    product = arena.start_product()
    others = _Others(arena, product)
    ran: list[Round] = []
    facts: dict[str, str | int | float] = {"streams": STREAMS}
    faults: list[str] = []
    try:
        await others.measure(WARM_UP_SECONDS, suffix="")
        for _ in range(arena.rounds):
            ran += await others.measure(arena.seconds, suffix=WITHOUT)
            facts.setdefault("worker RSS without, MiB", round(resident_mib(product.worker_pid)))
            async with open_streams(product, arena.world, cookies) as streams:
                facts["processor share of idle streams, %"] = await _idle_share(product)
                ran += await others.measure(arena.seconds, suffix=WITH)
                facts[MEMORY] = round(resident_mib(product.worker_pid))
                heard = await _tell(arena.postgres, streams)
                lost = sum(stream.is_lost for stream in streams)
            facts["streams that heard a message"] = f"{heard} of {TOLD_MEMBERS}"
            if heard != TOLD_MEMBERS or lost:
                faults.append(f"{heard} of {TOLD_MEMBERS} streams heard; {lost} were lost")
    finally:
        product.stop()
    faults += [f"{one.name}: {one.errors}" for one in ran if one.errors]
    return _finding(ran, facts=facts, faults=faults)


class _Others:
    """The requests that streams must not disturb: a read of the API and a callback."""

    def __init__(self, arena: Arena, product: Server) -> None:
        self._arena = arena
        self._product = product
        self._messages = Messages(arena.world.account)
        self._check = ReplyCheck(arena.world.account)

    async def measure(self, seconds: float, *, suffix: str) -> list[Round]:
        """Measure both, one after the other."""
        product = self._product
        lookup = Target(
            name=LOOKUP + suffix, url=product.url, pid=product.pid, holds=b'"balance_fen"'
        )
        callback = Target(
            name=CALLBACK + suffix,
            url=product.url,
            pid=product.pid,
            holds=b"<Encrypt>",
            check=self._check,
        )
        lookups = self._lookups(int(LOOKUPS_PER_SECOND * seconds))
        messages = self._messages.requests(int(MESSAGES_PER_SECOND * seconds))
        await checkpoint(self._arena.postgres)
        return [
            await run_round(lookup, lookups, seconds=seconds, connections=FEW),
            await run_round(callback, messages, seconds=seconds),
        ]

    def _lookups(self, count: int) -> list[bytes]:
        return [
            (
                f"GET /api/v1/members/{member_id(number % MEMBERS)} HTTP/1.1\r\n"
                f"Host: 127.0.0.1\r\nAuthorization: Bearer {self._arena.world.api_key}\r\n\r\n"
            ).encode()
            for number in range(count)
        ]


async def _idle_share(product: Server) -> float:
    """Return how much of a core the worker uses while nobody asks for anything."""
    before = cpu_seconds(product.worker_pid)
    await asyncio.sleep(IDLE_SECONDS)
    return round(100 * (cpu_seconds(product.worker_pid) - before) / IDLE_SECONDS, 1)


async def _tell(postgres: Postgres, streams: Sequence[Stream]) -> int:
    """Say a message to some members as the relay does; return how many streams heard it."""
    connection = await asyncpg.connect(postgres.url)
    try:
        for number in range(TOLD_MEMBERS):
            await connection.execute(
                "SELECT pg_notify($1, $2)", CHANNEL, _message(member_id(number))
            )
    finally:
        await connection.close()
    await asyncio.wait([one.heard for one in streams[:TOLD_MEMBERS]], timeout=HEARD_SECONDS)
    return sum(one.heard.done() for one in streams)


def _message(member: UUID) -> str:
    payload = {"topic": f"member:{member}", "event": "card.changed", "data": {}}
    return msgspec.json.encode(payload).decode()


def _finding(
    ran: list[Round], *, facts: dict[str, str | int | float], faults: list[str]
) -> Finding:
    finding = Finding(title="Open event streams", ours="", rounds=ran, facts=facts, faults=faults)
    p99 = {one.name: one.p99_ms for one in finding.standings}
    for name in (LOOKUP, CALLBACK):
        without, beside = p99[name + WITHOUT], p99[name + WITH]
        finding.claims.append(
            Claim(
                says=f"p99 of {name}, ms, beside {STREAMS} streams ({without:.1f} without)",
                figure=beside,
                mark=100.0,
                is_least=False,
            )
        )
    memory = facts.get(MEMORY)
    finding.claims.append(
        Claim(
            says=MEMORY,
            figure=float(memory) if memory is not None else None,
            mark=RSS_MIB_MAX,
            is_least=False,
        )
    )
    return finding

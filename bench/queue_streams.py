"""Comparison: two thousand phones watch their place in twenty lines while clerks call.

The relay runs beside, as in a product: a figure is the time from the commit of a call to the moment
when a phone behind it has read its new place.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import text

from bench.arena import Arena
from bench.figures import P50, P99, Round, percentile
from bench.findings import Claim, Finding
from bench.load import Target
from bench.machine import allow_many_files, cpu_seconds, resident_mib
from bench.servers import Server
from bench.world import World, member_id, open_diner_sessions
from o2o.crm.statuses import Audience
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.infra.live import Broadcaster
from o2o.infra.relay import Relay
from o2o.infra.settings import Settings
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import SystemClock
from o2o.kernel.ids import new_id
from o2o.queueing.actions.call_next import CallNext, call_next
from o2o.queueing.events import QueueChanged
from o2o.queueing.live import QueueBroadcaster
from o2o.web.cookies import cookie_name

PHONES = 2000
LINES = 20
CALLS_PER_SECOND = 10
OPENED_AT_ONCE = 50
OPEN_SECONDS = 60.0
SETTLE_SECONDS = 3.0
P99_MS_MAX = 1000.0
RSS_MIB_MAX = 300
_AHEAD = re.compile(rb'"status":"waiting","mark":"waiting","ahead":(\d+)')

_LINES = text(
    "INSERT INTO queues (id, store_id, kind, code, name, name_en, party_size_max, status, servers,"
    " minutes_per_party, rank, changed_at, created_at)"
    " SELECT id, :store_id, 'service_line', chr(64 + place::int), 'Line', 'Line', 1, 'open', 4, 5,"
    " place, :now, :now FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS q(id, place)"
)
_DAYS = text(
    "INSERT INTO queue_days (queue_id, business_on, last_number, waiting_ordinary)"
    " SELECT id, :day, :each, :each FROM unnest(CAST(:ids AS uuid[])) AS q(id)"
)
# One member each, spread over the lines in turn, as the fans with sessions are sorted.
_TICKETS = text(
    "INSERT INTO tickets (id, request_id, body_hash, store_id, queue_id, business_on, number,"
    " party_size, status, priority, source, place, fan_id, taken_at, ahead_at_take)"
    " SELECT gen_random_uuid(), gen_random_uuid(), '', :store_id,"
    " (CAST(:ids AS uuid[]))[1 + (place - 1) % :lines], :day, 1 + (place - 1) / :lines, 1,"
    " 'waiting', 'ordinary', 'page', (1 + (place - 1) / :lines) * 1000, id, :now,"
    " (place - 1) / :lines"
    " FROM (SELECT id, row_number() OVER (ORDER BY openid) AS place FROM fans"
    " WHERE member_id IS NOT NULL ORDER BY openid LIMIT :phones) f"
    " RETURNING id, fan_id, queue_id, number"
)
_FANS = text("SELECT id FROM fans WHERE member_id IS NOT NULL ORDER BY openid LIMIT :phones")


class Phone(asyncio.Protocol):
    """A page that is open on a number: what it was told last, and when it had read it."""

    def __init__(self, request: bytes) -> None:
        """Ask with `request` when connected."""
        self._request = request
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.is_lost = False
        # How many were ahead → when that was read.
        self.seen: dict[int, float] = {}
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read places as they are told; the first of them says that the stream lives."""
        data = self._rest + data
        for found in _AHEAD.finditer(data):
            self.seen.setdefault(int(found[1]), time.monotonic())
        self._rest = data[-200:]
        if self.seen and not self.is_open.done():
            self.is_open.set_result(None)
        elif not self.seen and b"HTTP/1.1 4" in data and not self.is_open.done():
            self.is_open.set_exception(RuntimeError(data[:300].decode("latin-1")))

    def connection_lost(self, _: Exception | None) -> None:
        """Note it; nobody should lose one here."""
        self.is_lost = True


class Hall:
    """The lines, and who waits in them."""

    def __init__(self, sessions: SessionFactory, world: World) -> None:
        """Make twenty lines with a hundred numbers each."""
        self._sessions = sessions
        self._world = world
        self.line_ids = [new_id() for _ in range(LINES)]
        # In the order of the fans with sessions.
        self.tickets: list[tuple[UUID, UUID, int]] = []

    async def fill(self) -> None:
        """Write them down."""
        now = datetime.now(UTC)
        each = PHONES // LINES
        async with transaction(self._sessions) as tx:
            zone = "UPDATE stores SET hours = '{}', timezone = 'UTC' WHERE id = :id"
            await tx.execute(text(zone), {"id": self._world.store_id})
            # With no hours at all the day turns at four.
            day = (now.replace(tzinfo=UTC)).date() if now.hour >= 4 else None
            values: dict[str, Any] = {
                "ids": self.line_ids,
                "store_id": self._world.store_id,
                "now": now,
                "day": day,
                "each": each,
                "lines": LINES,
                "phones": PHONES,
            }
            assert day is not None, "the bench of queues does not run between midnight and four"
            await tx.execute(_LINES, values)
            await tx.execute(_DAYS, values)
            rows = {row.fan_id: row for row in await tx.execute(_TICKETS, values)}
            fans = (await tx.scalars(_FANS, {"phones": PHONES})).all()
        self.tickets = [(rows[f].id, rows[f].queue_id, rows[f].number) for f in fans]

    async def call(self, line_id: UUID) -> float:
        """Call the next of a line; return when that was committed."""
        command = CallNext(
            request_id=new_id(), queue_ids=(line_id,), desk="1", now=datetime.now(UTC)
        )
        async with transaction(self._sessions) as tx:
            await call_next(tx, [command])
        return time.monotonic()


@asynccontextmanager
async def _phones(
    server: Server, world: World, *, hall: Hall, cookies: Sequence[str]
) -> AsyncGenerator[list[Phone], None]:
    host, port = Target(name="", url=server.url).address
    name = cookie_name(Settings(public_url=server.url), Audience.DINER.value)
    loop = asyncio.get_running_loop()
    phones: list[Phone] = []
    try:
        pairs = list(zip(hall.tickets, cookies, strict=True))
        for start in range(0, len(pairs), OPENED_AT_ONCE):
            part = [
                Phone(
                    f"GET /h5/{world.account.slug}/tickets/{ticket}/live HTTP/1.1\r\n"
                    f"Host: 127.0.0.1\r\nCookie: {name}={cookie}\r\n\r\n".encode()
                )
                for (ticket, _, _), cookie in pairs[start : start + OPENED_AT_ONCE]
            ]
            phones += part
            for phone in part:
                await loop.create_connection(lambda phone=phone: phone, host, port)  # type: ignore[misc]  # the default binds it
            await asyncio.wait_for(asyncio.gather(*(one.is_open for one in part)), OPEN_SECONDS)
        yield phones
    finally:
        for phone in phones:
            if phone.transport is not None:
                phone.transport.abort()


async def compare_queue_streams(arena: Arena) -> Finding:
    """Measure how soon phones see that they moved up, and what they cost the worker."""
    allow_many_files()
    engine = create_engine(arena.postgres.url, pool_size=8)
    sessions = create_sessions(engine)
    hall = Hall(sessions, arena.world)
    await hall.fill()
    cookies = await open_diner_sessions(
        arena.postgres.url, arena.world, member_ids=[member_id(number) for number in range(PHONES)]
    )
    registry = Registry()
    registry.perform_many(QueueChanged.name, QueueBroadcaster(Broadcaster(sessions)).perform_many)
    relay = Relay(sessions=sessions, registry=registry, clock=SystemClock())
    product = arena.start_product()
    relaying = asyncio.create_task(relay.run())
    facts: dict[str, str | int | float] = {
        "phones": PHONES,
        "lines": LINES,
        "calls a second": CALLS_PER_SECOND,
        "worker RSS without, MiB": round(resident_mib(product.worker_pid)),
    }
    try:
        async with _phones(product, arena.world, hall=hall, cookies=cookies) as phones:
            started, cpu = time.monotonic(), cpu_seconds(product.worker_pid)
            commits = await _call_for(hall, arena.seconds)
            took = time.monotonic() - started
            await asyncio.sleep(SETTLE_SECONDS)
            share = 100 * (cpu_seconds(product.worker_pid) - cpu) / (took + SETTLE_SECONDS)
            facts["worker's share of a core, %"] = round(share)
            rss = resident_mib(product.worker_pid)
            lost = sum(phone.is_lost for phone in phones)
    finally:
        relay.stop()
        await relaying
        product.stop()
        await engine.dispose()
    return _finding(hall, phones, commits, facts=facts, rss=rss, lost=lost, seconds=took)


async def _call_for(hall: Hall, seconds: float) -> dict[UUID, list[float]]:
    """Call in all lines in turn; return when each line's calls were committed."""
    commits: dict[UUID, list[float]] = {line: [] for line in hall.line_ids}
    started = time.monotonic()
    for number in range(int(seconds * CALLS_PER_SECOND)):
        line = hall.line_ids[number % LINES]
        commits[line].append(await hall.call(line))
        await asyncio.sleep(max(0.0, started + (number + 1) / CALLS_PER_SECOND - time.monotonic()))
    return commits


def _finding(
    hall: Hall,
    phones: Sequence[Phone],
    commits: dict[UUID, list[float]],
    *,
    facts: dict[str, str | int | float],
    rss: float,
    lost: int,
    seconds: float,
) -> Finding:
    waits: list[float] = []
    missed = 0
    for phone, (_, line, number) in zip(phones, hall.tickets, strict=True):
        calls = commits[line]
        for done, committed in enumerate(calls, 1):
            ahead = number - 1 - done
            if ahead < 0:
                break
            # Two calls that come together are told together: the later place is what counts.
            later = [
                phone.seen[a]
                for a in range(ahead, number - 1 - len(calls) - 1, -1)
                if a in phone.seen
            ]
            if later:
                waits.append(max(0.0, min(later) - committed) * 1000)
            else:
                missed += 1
    waits.sort()
    p99 = percentile(waits, P99)
    facts |= {"updates seen": len(waits), "updates missed": missed, "worker RSS, MiB": round(rss)}
    ran = Round(
        name="place seen after the call",
        seconds=seconds,
        answered=len(waits),
        p50_ms=percentile(waits, P50),
        p99_ms=p99,
        max_ms=waits[-1] if waits else 0.0,
    )
    faults = [f"{missed} updates were never seen; {lost} streams were lost"] * bool(missed or lost)
    finding = Finding(
        title="Phones that watch their place", ours="", rounds=[ran], facts=facts, faults=faults
    )
    finding.claims += [
        Claim(says="p99 of a new place seen, ms", figure=p99, mark=P99_MS_MAX, is_least=False),
        Claim(
            says="worker RSS with 2000 phones, MiB", figure=rss, mark=RSS_MIB_MAX, is_least=False
        ),
    ]
    return finding

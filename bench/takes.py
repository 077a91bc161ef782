"""Comparison 5: a number taken over HTTP against pgbench sending the same statements.

In 200 queues of 50 stores, drawn by lot. Both may use the whole machine, each with PostgreSQL
beside it. pgbench is measured at several client counts; its best one counts.
"""

import random
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import msgspec

from bench.arena import Arena
from bench.database import checkpoint
from bench.debits import CLIENTS, WARM_UP_SECONDS
from bench.figures import Round
from bench.findings import Claim, Finding
from bench.load import Target, run_round
from bench.machine import resident_mib
from bench.pgbench import Pgbench, name_of
from bench.queues import (
    FIRST_QUEUE,
    QUEUE_PREFIX,
    QUEUES,
    count_faults,
    make_queues,
    queue_id,
    record_takes,
)
from bench.script import pgbench_script
from bench.world import World
from o2o.kernel.ids import new_id

OURS = "o2o HTTP take"
TAKES_PER_SECOND = 8000
TICKETS = "tickets"


class TakeNumber(msgspec.Struct):
    """The body of a request, as a hall's system would send it."""

    request_id: UUID
    party_size: int = 2


def take_requests(world: World, count: int, *, seed: int) -> list[bytes]:
    """Build requests for queues drawn by lot, each an intention of its own."""
    drawn = random.Random(seed)
    return [_request(world, queue_id(drawn.randrange(QUEUES))) for _ in range(count)]


def _request(world: World, queue: UUID) -> bytes:
    body = msgspec.json.encode(TakeNumber(new_id()))
    head = (
        f"POST /api/v1/queues/{queue}/tickets HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {world.api_key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def compare_takes(arena: Arena) -> Finding:
    """Run HTTP and pgbench in turns, then count the tickets and look at every number."""
    postgres = arena.postgres
    await make_queues(postgres.url, arena.world)
    pgbench = Pgbench(await _script(arena), database_url=postgres.url)
    before = postgres.count(TICKETS)
    product = arena.start_product(cores=arena.server_cores | arena.other_cores)
    try:
        target = Target(
            name=OURS, url=product.url, pid=product.pid, status=b"201", holds=b'"number"'
        )
        done = 0
        ran: list[Round] = []
        for number in range(arena.rounds + 1):
            lasts = arena.seconds if number else WARM_UP_SECONDS
            async for one in _turns(arena, target, pgbench, number=number, seconds=lasts):
                done += one.answered
                # The first turn only warms up.
                ran += [one] if number else []
        memory = resident_mib(product.worker_pid)
    finally:
        product.stop()
    tickets = postgres.count(TICKETS) - before
    wrong = await count_faults(postgres.url)
    faults = [f"{one.name}: {one.errors}" for one in ran if one.errors]
    if tickets != done:
        faults.append(f"{tickets} tickets for {done} takes answered")
    if wrong:
        faults.append(f"numbers or counts are wrong on {wrong} days")
    finding = Finding(title="Queue number", ours=OURS, rounds=ran, faults=faults)
    best = max(CLIENTS, key=lambda clients: finding.rate(name_of(clients)))
    finding.facts = {
        "pgbench's best": name_of(best),
        "takes answered": done,
        "tickets": tickets,
        "queues with gaps or wrong counts": wrong,
        "worker RSS after, MiB": round(memory),
    }
    finding.claims = [
        Claim(
            says="HTTP takes ÷ pgbench at its best",
            figure=finding.times(name_of(best)),
            mark=1.0,
        )
    ]
    return finding


async def _turns(
    arena: Arena, target: Target, pgbench: Pgbench, *, number: int, seconds: float
) -> AsyncGenerator[Round, None]:
    requests = take_requests(arena.world, int(TAKES_PER_SECOND * seconds), seed=number)
    await checkpoint(arena.postgres)
    yield await run_round(target, requests, seconds=seconds)
    for clients in CLIENTS:
        await checkpoint(arena.postgres)
        yield await pgbench.run(clients=clients, seconds=seconds)


async def _script(arena: Arena) -> Path:
    """Record a few takes and write them down for pgbench."""
    script = arena.shop.folder / "take.sql"
    script.write_text(
        pgbench_script(
            await record_takes(arena.postgres.url, arena.world),
            prefixes=(QUEUE_PREFIX,),
            first=FIRST_QUEUE,
            last=FIRST_QUEUE + QUEUES - 1,
        )
    )
    return script

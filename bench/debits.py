"""Comparison 2: a debit of stored value over HTTP against pgbench sending the same statements.

Both may use the whole machine, each with PostgreSQL beside it: here the product's one worker and
the load, there pgbench. pgbench is measured at several client counts; its best one counts.
"""

import random
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import msgspec

from bench.arena import Arena
from bench.database import checkpoint
from bench.figures import Round
from bench.findings import Claim, Finding
from bench.load import Target, run_round
from bench.machine import resident_mib
from bench.pgbench import Pgbench, name_of
from bench.script import pgbench_script
from bench.statements import AMOUNT_FEN, record_debits
from bench.world import (
    ACCOUNT_PREFIX,
    FIRST_MEMBER,
    MEMBER_PREFIX,
    MEMBERS,
    World,
    member_id,
    verify_books,
)
from o2o.kernel.ids import new_id

OURS = "o2o HTTP debit"
CLIENTS = (1, 4, 8, 16, 32)
DEBITS_PER_SECOND = 8000
WARM_UP_SECONDS = 1.5
TRANSFERS = "ledger_transfers"


class Debit(msgspec.Struct):
    """The body of a request, as a till would send it."""

    request_id: UUID
    amount_fen: int
    store_id: UUID


def debit_requests(world: World, count: int, *, seed: int) -> list[bytes]:
    """Build requests for members drawn by lot, each an intention of its own."""
    drawn = random.Random(seed)
    return [_request(world, member_id(drawn.randrange(MEMBERS))) for _ in range(count)]


def _request(world: World, member: UUID) -> bytes:
    body = msgspec.json.encode(Debit(new_id(), AMOUNT_FEN, world.store_id))
    head = (
        f"POST /api/v1/members/{member}/debits HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {world.api_key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def compare_debits(arena: Arena) -> Finding:
    """Run HTTP and pgbench in turns, then count the transfers and verify the books."""
    postgres = arena.postgres
    pgbench = Pgbench(await _script(arena), database_url=postgres.url)
    before = postgres.count(TRANSFERS)
    product = arena.start_product(cores=arena.server_cores | arena.other_cores)
    try:
        target = Target(
            name=OURS, url=product.url, pid=product.pid, status=b"201", holds=b'"balance_fen"'
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
    transfers = postgres.count(TRANSFERS) - before
    verdict = await verify_books(postgres.url)
    faults = [f"{one.name}: {one.errors}" for one in ran if one.errors]
    if transfers != done:
        faults.append(f"{transfers} transfers for {done} debits answered")
    if not verdict.is_sound:
        faults += verdict.lines()
    return _finding(ran, transfers=transfers, done=done, memory=memory, faults=faults)


async def _turns(
    arena: Arena, target: Target, pgbench: Pgbench, *, number: int, seconds: float
) -> AsyncGenerator[Round, None]:
    postgres = arena.postgres
    requests = debit_requests(arena.world, int(DEBITS_PER_SECOND * seconds), seed=number)
    await checkpoint(postgres)
    yield await run_round(target, requests, seconds=seconds)
    for clients in CLIENTS:
        await checkpoint(postgres)
        yield await pgbench.run(clients=clients, seconds=seconds)


async def _script(arena: Arena) -> Path:
    """Record a few debits and write them down for pgbench."""
    script = arena.shop.folder / "debit.sql"
    script.write_text(
        pgbench_script(
            await record_debits(arena.postgres.url, arena.world),
            prefixes=(MEMBER_PREFIX, ACCOUNT_PREFIX),
            first=FIRST_MEMBER,
            last=FIRST_MEMBER + MEMBERS - 1,
        )
    )
    return script


def _finding(
    ran: list[Round], *, transfers: int, done: int, memory: float, faults: list[str]
) -> Finding:
    finding = Finding(title="Stored-value debit", ours=OURS, rounds=ran, faults=faults)
    best = max(CLIENTS, key=lambda clients: finding.rate(name_of(clients)))
    finding.facts = {
        "pgbench's best": name_of(best),
        "debits answered": done,
        "transfers in the books": transfers,
        "books": "not sound" if faults else "sound",
        "worker RSS after, MiB": round(memory),
    }
    finding.claims = [
        Claim(
            says="HTTP debits ÷ pgbench at its best",
            figure=finding.times(name_of(best)),
            mark=1.0,
        )
    ]
    return finding

"""Comparison 4: what idempotency, audit and sealing cost a debit: with them against without.

Two products on one database, each in its turn under the same load; beside the whole one history is
sealed every second, as the worker does.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from bench.arena import Arena
from bench.database import checkpoint
from bench.debits import DEBITS_PER_SECOND, TRANSFERS, WARM_UP_SECONDS, debit_requests
from bench.figures import Round
from bench.findings import Claim, Finding
from bench.load import Target, run_round
from bench.servers import Server
from bench.world import verify_books
from o2o.infra.database import create_engine, create_sessions, transaction
from o2o.ledger.actions.seal_history import seal_history

WHOLE = "o2o HTTP debit"
BARE = "the same, bare"
LEAST = 0.85
SEALED_EVERY_SECONDS = 1.0


async def compare_safeguards(arena: Arena) -> Finding:
    """Run both in turns, then count the transfers and verify the books."""
    postgres = arena.postgres
    cores = arena.server_cores | arena.other_cores
    before = postgres.count(TRANSFERS)
    whole, bare = arena.start_product(cores=cores), arena.start_bare(cores=cores)
    ran: list[Round] = []
    done = 0
    try:
        for number in range(arena.rounds + 1):
            seconds = arena.seconds if number else WARM_UP_SECONDS
            async for one in _turns(arena, whole, bare, number=number, seconds=seconds):
                done += one.answered
                # The first turn only warms up.
                ran += [one] if number else []
    finally:
        whole.stop()
        bare.stop()
    transfers = postgres.count(TRANSFERS) - before
    verdict = await verify_books(postgres.url)
    faults = [f"{one.name}: {one.errors}" for one in ran if one.errors]
    if transfers != done:
        faults.append(f"{transfers} transfers for {done} debits answered")
    if not verdict.is_sound:
        faults += verdict.lines()
    finding = Finding(title="What the safeguards cost", ours=WHOLE, rounds=ran, faults=faults)
    finding.facts = {
        "debits answered": done,
        "transfers in the books": transfers,
        "entries sealed": verdict.history.sealed_entries,
        "books": "not sound" if faults else "sound",
    }
    finding.claims = [
        Claim(
            says="debits with idempotency, audit and sealing ÷ without",
            figure=finding.times(BARE),
            mark=LEAST,
        )
    ]
    return finding


async def _turns(
    arena: Arena, whole: Server, bare: Server, *, number: int, seconds: float
) -> AsyncGenerator[Round, None]:
    for place, (name, product) in enumerate(((WHOLE, whole), (BARE, bare))):
        target = Target(
            name=name, url=product.url, pid=product.pid, status=b"201", holds=b'"balance_fen"'
        )
        requests = debit_requests(
            arena.world, int(DEBITS_PER_SECOND * seconds), seed=2 * number + place
        )
        await checkpoint(arena.postgres)
        if product is whole:
            async with _sealing(arena.postgres.url):
                yield await run_round(target, requests, seconds=seconds)
        else:
            yield await run_round(target, requests, seconds=seconds)


@asynccontextmanager
async def _sealing(database_url: str) -> AsyncGenerator[None, None]:
    """Seal history again and again for as long as this lasts."""
    engine = create_engine(database_url, pool_size=1)
    sessions = create_sessions(engine)
    over = asyncio.Event()

    async def seal() -> None:
        while not over.is_set():
            async with transaction(sessions) as tx:
                await seal_history(tx, now=datetime.now(UTC))
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), SEALED_EVERY_SECONDS)

    sealing = asyncio.create_task(seal())
    try:
        yield
    finally:
        over.set()
        await sealing
        await engine.dispose()

"""How the product answers among a million members: the card page and the search, at 100 a second.

In an open loop (open_loop.py): a stall is seen by everybody it kept waiting.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from random import Random
from urllib.parse import quote, urlsplit

import msgspec
import uvloop

from bench.contestants import Workshop, start_product
from bench.crowd import ENTRIES_EACH, LOADERS, TAG, crowd_member, load_crowd
from bench.database import Postgres
from bench.machine import cores, describe, family_cpu_seconds, load_average
from bench.open_loop import Answered, Question, ask_when_due
from bench.sealing import seal_and_verify
from bench.world import World, make_world, open_diner_sessions
from o2o.crm.statuses import Audience, StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import create_engine, create_sessions, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.staff.actions.create_staff import RoleAt, create_staff
from o2o.stores.queries import get_store
from o2o.web.sessions import open_session

RATE = 100
WORLD_FILE = "million-world.json"
TARGET_MS = 50.0
SEED = 20_261_122
# Drawn from the crowd: hardly anybody opens the card twice in a run.
DINERS = 5_000
WARM_UP_SECONDS = 10
# Above this it takes minutes, and is done when asked for.
VERIFIED_UP_TO = 100_000
FAMILY = "\u738b\u674e\u5f20\u5218\u9648\u6768\u8d75\u9ec4"
GIVEN = "\u96e8\u5b50\u601d\u5609\u4f73\u6893\u82e5\u4e66\u6587\u660e\u6653\u6d77"


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many in a hundred do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def questions(
    rng: Random, *, count: int, world: World, crowd: int, cookies: dict[str, list[str]]
) -> list[Question]:
    """Draw the requests, half card pages and half searches of every sort and dossiers."""
    console = cookies["console"][0]
    drawn = []
    for number in range(count):
        if number % 2:
            cookie = f"o2o_diner={rng.choice(cookies['diner'])}"
            drawn.append(Question("card", f"/h5/{world.account.slug}/card", cookie))
            continue
        kind, path = _search(rng, crowd)
        drawn.append(Question(kind, path, f"o2o_console={console}"))
    return drawn


def _search(rng: Random, crowd: int) -> tuple[str, str]:
    somebody = rng.randrange(crowd)
    sorts = {
        "search name": rng.choice(FAMILY) + rng.choice(GIVEN),
        "search part of a name": rng.choice(GIVEN) + rng.choice(GIVEN),
        "search family name": rng.choice(FAMILY),
        "search phone tail": f"{somebody % 10_000:04d}",
        "search phone": f"199{somebody:08d}",
        "search card": f"7770{somebody:012d}",
        "search tag": f"#{TAG}",
        "search nothing": "",
    }
    kind = rng.choice([*sorts, "member page"])
    if kind == "member page":
        return kind, f"/console/members/{crowd_member(somebody)}"
    if kind == "search tag":
        return kind, f"/console/members?tag={quote(TAG)}"
    return kind, f"/console/members?q={quote(sorts[kind])}"


async def _console_cookie(url: str, world: World) -> str:
    engine = create_engine(url, pool_size=1)
    now = datetime.now(UTC)
    try:
        async with transaction(create_sessions(engine)) as tx:
            staff_id = await create_staff(
                tx,
                brand_id=(await get_store(tx, world.store_id)).brand_id,
                login=f"bench-{new_id().hex[-12:]}",
                name="Bench",
                roles=[RoleAt(StaffRoleName.SERVICE)],
                password_hash=None,
                pin_hash=None,
                actor=SYSTEM,
                now=now,
            )
            return await open_session(
                tx,
                seal=Seal(world.secret_key),
                audience=Audience.CONSOLE,
                staff_id=staff_id,
                now=now,
            )
    finally:
        await engine.dispose()


async def _load(postgres: Postgres, world: World, *, members: int) -> None:
    began = time.perf_counter()
    engine = create_engine(postgres.url, pool_size=LOADERS)
    try:
        await load_crowd(engine, store_id=world.store_id, members=members)
    finally:
        await engine.dispose()
    # What was loaded is on its way to the disk still.
    await asyncio.to_thread(postgres.checkpoint)
    await asyncio.to_thread(os.sync)
    print(f"loaded in {time.perf_counter() - began:.0f} s", flush=True)


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """How large a run is."""

    members: int
    # Of load that counts.
    seconds: int
    # Requests a second.
    rate: int
    workers: int
    # Whether the books are verified however large they are.
    verifies: bool


async def run(work: Path, postgres: Postgres, study: Study, *, known: World | None) -> int:
    """Load (unless the world of the last run is `known`), ask, tell.

    Return 1 when books are unsound or an answer was none, else 0.
    """
    print(", ".join(f"{k} {v}" for k, v in (await postgres.durability()).items()), flush=True)
    members = study.members
    world = known or await make_world(postgres.url)
    if known is None:
        await _load(postgres, world, members=members)
        (work / WORLD_FILE).write_bytes(msgspec.json.encode(world))
    entries = postgres.count("ledger_entries")
    assert entries >= members * ENTRIES_EACH
    print(f"{members:,} members, {entries:,} entries; {study.workers} web workers", flush=True)
    print(f"read through {postgres.read_through() / 1e9:.1f} GB", flush=True)
    answered = await _ask(work, postgres, study, world=world)
    faults = _tell(answered, rate=study.rate)
    if study.verifies or members <= VERIFIED_UP_TO:
        verdict = await seal_and_verify(postgres.url)
        print("\n".join(verdict.lines()))
        faults += not verdict.is_sound
    print(f"load average at the end {load_average():.2f}")
    return 1 if faults else 0


async def _ask(work: Path, postgres: Postgres, study: Study, *, world: World) -> list[Answered]:
    """Start the product and ask it; print what an answer cost."""
    rng = Random(SEED)
    crowd = range(study.members)
    diners = [crowd_member(number) for number in rng.sample(crowd, min(DINERS, len(crowd)))]
    cookies = {
        "diner": await open_diner_sessions(postgres.url, world, member_ids=diners),
        "console": [await _console_cookie(postgres.url, world)],
    }
    product = start_product(
        Workshop(work),
        postgres.url,
        secret_key=world.secret_key,
        cores=set(cores()),
        workers=study.workers,
    )
    try:
        host, port = urlsplit(product.url).hostname, urlsplit(product.url).port
        assert host is not None
        assert port is not None
        answered: list[Answered] = []
        cpu = (0.0, 0.0)
        # The first run warms caches and is not counted.
        for length in (WARM_UP_SECONDS, study.seconds):
            count = study.rate * length
            asked = questions(rng, count=count, world=world, crowd=len(crowd), cookies=cookies)
            await asyncio.to_thread(postgres.checkpoint)
            cpu = family_cpu_seconds(product.pid), family_cpu_seconds(postgres.pid)
            answered = await ask_when_due((host, port), asked, rate=study.rate)
        cost = [
            1000 * (family_cpu_seconds(pid) - before) / len(answered)
            for pid, before in zip((product.pid, postgres.pid), cpu, strict=True)
        ]
    finally:
        product.stop()
    print(f"processor time an answer: product {cost[0]:.1f} ms, PostgreSQL {cost[1]:.1f} ms")
    return answered


def _tell(answered: Sequence[Answered], *, rate: int) -> int:
    """Print the figures; return how many answers were no page."""
    took: dict[str, list[float]] = {}
    refused: Counter[str] = Counter()
    for one in answered:
        if one.status == HTTPStatus.OK:
            took.setdefault(one.question.kind, []).append(one.milliseconds)
        else:
            refused[f"{one.question.kind}: status {one.status}"] += 1
    searches = [ms for kind, values in took.items() if kind.startswith("search") for ms in values]
    print(f"{'':26}{'n':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for kind, values in [*sorted(took.items()), ("all searches", searches)]:
        if not values:
            continue
        figures = [percentile(values, percent) for percent in (50, 95, 99, 100)]
        print(f"{kind:26}{len(values):7}" + "".join(f"{figure:9.1f}" for figure in figures))
    for kind, values in (("card", took.get("card", [])), ("all searches", searches)):
        if not values:
            continue
        kept = percentile(values, 99) < TARGET_MS
        print(f"{kind}: p99 {'below' if kept else 'NOT below'} {TARGET_MS:g} ms at {rate}/s")
    for what, count in refused.most_common():
        print(f"no page, {count} times: {what}")
    return refused.total()


def main(work: Path, words: Sequence[str]) -> int:
    """Run `python -m bench million [--members N] [--seconds S]`."""
    parser = argparse.ArgumentParser(prog="python -m bench million", description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--seconds", type=int, default=60, help="of load (60)")
    parser.add_argument("--rate", type=int, default=RATE, help=f"requests a second ({RATE})")
    parser.add_argument("--verify", action="store_true", help="the books, however large")
    parser.add_argument("--workers", type=int, default=len(cores()), help="one for each core")
    parser.add_argument("--again", action="store_true", help="ask the crowd of the last run")
    asked = parser.parse_args(words)
    study = Study(
        members=asked.members,
        seconds=asked.seconds,
        rate=asked.rate,
        workers=asked.workers,
        verifies=asked.verify,
    )
    known = None
    if asked.again:
        known = msgspec.json.decode((work / WORLD_FILE).read_bytes(), type=World)
    print(f"{describe()}, load average at the start {load_average():.2f}", flush=True)
    os.sched_setaffinity(0, cores())
    postgres = Postgres(work / "million", on=set(cores()), is_kept=asked.again)
    try:
        return uvloop.run(run(work, postgres, study, known=known))
    finally:
        postgres.stop()

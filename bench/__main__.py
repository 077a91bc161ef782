"""`python -m bench`: sets everything up, runs the comparisons, prints and records the figures."""

import argparse
import fcntl
import os
import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager

import uvloop

from bench import million, recommendations
from bench.arena import Arena
from bench.callbacks import compare_callbacks
from bench.contestants import Workshop
from bench.database import Postgres
from bench.debits import compare_debits
from bench.findings import Finding, told
from bench.machine import cores, describe, load_average
from bench.queue_streams import compare_queue_streams
from bench.results import record
from bench.safeguards import compare_safeguards
from bench.servers import ROOT
from bench.streams import compare_streams
from bench.takes import compare_takes
from bench.world import make_world

WORK = ROOT / "build" / "bench"
RESULTS = ROOT / "bench" / "RESULTS.md"
SECONDS_MAX = 8.0
ROUNDS_MAX = 9
COMPARISONS = {
    "callbacks": compare_callbacks,
    "debits": compare_debits,
    "safeguards": compare_safeguards,
    "streams": compare_streams,
    "takes": compare_takes,
    "queue_streams": compare_queue_streams,
}
# These are measured with all cores for both sides.
WHOLE_MACHINE = {"debits", "safeguards", "takes"}
# Runs of their own, with arguments of their own: `python -m bench million --members 100000`.
STUDIES = {"million": million.main, "recommendations": recommendations.main}
# Above this at the start, something else is at work here and figures are provisional.
QUIET_LOAD_MAX = 0.7


def main() -> int:
    """Run; the exit status says whether anything was answered wrongly, not how fast."""
    if (study := STUDIES.get(next(iter(sys.argv[1:]), ""))) is not None:
        with _alone():
            return study(WORK, sys.argv[2:])
    asked = _arguments()
    load_before = load_average()
    machine = describe() | {"load average at the start": round(load_before, 2)}
    server_cores, other_cores = _shared_out()
    print(f"{machine}\n")
    with _alone():
        postgres = Postgres(WORK / "data", on=other_cores)
        try:
            findings, facts = uvloop.run(
                _compare(asked, postgres, server_cores=server_cores, other_cores=other_cores)
            )
        finally:
            postgres.stop()
    is_quiet = load_before <= QUIET_LOAD_MAX
    if not is_quiet:
        print(f"PROVISIONAL: the machine was not idle (load average {load_before:.2f}).")
    if asked.record:
        record(
            RESULTS,
            findings,
            command=shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
            machine={**machine, **facts},
            is_provisional=not is_quiet,
        )
        print(f"Recorded in {RESULTS.relative_to(ROOT)}.")
    return 1 if any(finding.faults for finding in findings) else 0


@contextmanager
def _alone() -> Generator[None, None, None]:
    """Refuse to run beside another run: they would share cores, figures and the database."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("Another run of the bench is under way here.")
        yield


def _shared_out() -> tuple[set[int], set[int]]:
    """Return the core of the servers and those of PostgreSQL and the load."""
    mine = cores()
    if len(mine) < 2:
        sys.exit("The bench needs two cores: one for the server, one for PostgreSQL and the load.")
    return {mine[0]}, {mine[1]}


async def _compare(
    asked: argparse.Namespace,
    postgres: Postgres,
    *,
    server_cores: set[int],
    other_cores: set[int],
) -> tuple[list[Finding], dict[str, str]]:
    durability = await postgres.durability()
    print(", ".join(f"{name} {value}" for name, value in durability.items()), "\n", flush=True)
    arena = Arena(
        shop=Workshop(WORK),
        postgres=postgres,
        world=await make_world(postgres.url),
        server_cores=server_cores,
        other_cores=other_cores,
        rounds=asked.rounds,
        seconds=asked.seconds,
    )
    findings: list[Finding] = []
    for name in asked.only or COMPARISONS:
        # One core for the server and one for the rest, except where both sides have the machine.
        mine = server_cores | other_cores if name in WHOLE_MACHINE else other_cores
        os.sched_setaffinity(0, mine)
        postgres.settle_on(mine)
        finding = await COMPARISONS[name](arena)
        print(told(finding), "\n", flush=True)
        findings.append(finding)
    return findings, durability


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measured comparisons, in interleaved rounds."
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds per contestant (3)")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds per round (4)")
    parser.add_argument(
        "--only", action="append", choices=tuple(COMPARISONS), help="run this comparison alone"
    )
    parser.add_argument(
        "--record", action="store_true", help="write the figures into bench/RESULTS.md"
    )
    asked = parser.parse_args()
    if not 1 <= asked.rounds <= ROUNDS_MAX or not 1 <= asked.seconds <= SECONDS_MAX:
        parser.error(f"--rounds 1 to {ROUNDS_MAX}, --seconds 1 to {SECONDS_MAX:g}")
    return asked


if __name__ == "__main__":
    sys.exit(main())

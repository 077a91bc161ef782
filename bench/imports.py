"""`python -m bench.imports`: how fast a file of old cards is checked and carried over, in how much.

The product's own runner works in a process of its own, against the product's own server with every
commit durable. Memory is that process's peak, Python and its libraries included. Processor time is
told for each row, of the runner and of the server with all its processes: on a machine that others
use too, it says more than the clock.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bench.database import Postgres
from bench.import_files import write_csv, write_xlsx
from bench.machine import cores, describe, family_cpu_seconds, load_average
from bench.servers import ROOT
from bench.world import make_world
from o2o.app.starting import collect_rarely
from o2o.crm.statuses import ImportKind, StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from o2o.kernel.ids import BrandId
from o2o.ledger.verify import verify_ledger
from o2o.membership.actions.import_confirm import ConfirmImport, confirm_import
from o2o.membership.actions.import_receive import ReceiveImport, receive_import
from o2o.membership.import_runner import ImportRunner
from o2o.membership.imports.reading import names_of
from o2o.membership.imports.upload import examine, pieces_of
from o2o.membership.queries.imports import get_import
from o2o.staff.actions.create_staff import RoleAt, create_staff
from o2o.web.copy import LANGUAGES, Words

ROWS_MAX = 1_000_000
SEED = 20261122
WORK = ROOT / "build" / "bench" / "imports"
WRITERS = {"csv": write_csv, "xlsx": write_xlsx}


def main() -> int:
    """Run; the exit status says whether the books are right afterwards."""
    asked = _arguments()
    if asked.child:
        # As in the product's own process.
        collect_rarely()
        work = _work(asked.child, Path(asked.file), pid=asked.server_pid, carries=asked.carry)
        figures = asyncio.run(work)
        print(json.dumps(figures))
        return 0
    print(describe() | {"load average": round(load_average(), 2)}, flush=True)
    postgres = Postgres(WORK / "data", on=set(cores()))
    try:
        return _measure(asked, postgres)
    finally:
        postgres.stop()


def _measure(asked: argparse.Namespace, postgres: Postgres) -> int:
    asyncio.run(make_world(postgres.url))
    with tempfile.TemporaryDirectory(prefix="o2o-bench-") as folder:
        file = Path(folder) / f"cards.{asked.format}"
        WRITERS[asked.format](file, asked.rows, seed=asked.seed)
        print(f"{asked.rows:,} rows, {file.stat().st_size / 1e6:.1f} MB of {asked.format}")
        command = [sys.executable, "-m", "bench.imports", "--child", postgres.url]
        command += ["--file", str(file), "--server-pid", str(postgres.pid)]
        if not asked.carry:
            command.append("--check-only")
        told = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if told.returncode:
        sys.exit(told.stdout)
    figures = json.loads(told.stdout.splitlines()[-1])
    figures["load average"] = round(load_average(), 2)
    for name, value in figures.items():
        print(f"{name:>28}  {value}")
    return 0 if figures["books"] in {"sound", "untouched"} else 1


class Processor:
    """Processor time of the runner and of the server since it was last asked."""

    def __init__(self, server_pid: int) -> None:
        """Begin."""
        self._pid = server_pid
        self._before = self._now()

    def _now(self) -> tuple[float, float]:
        return time.process_time(), family_cpu_seconds(self._pid)

    def told(self, what: str, rows: int) -> dict[str, object]:
        """Return both in microseconds a row, and begin anew."""
        before, self._before = self._before, self._now()
        return {
            f"{what}, {who} \u00b5s a row": round((after - earlier) / max(rows, 1) * 1e6, 1)
            for who, earlier, after in zip(("runner", "server"), before, self._before, strict=True)
        }


async def _work(url: str, file: Path, *, pid: int, carries: bool) -> dict[str, object]:
    engine = create_engine(url, pool_size=2)
    sessions = create_sessions(engine)
    try:
        return await _import(sessions, file, pid=pid, carries=carries)
    finally:
        await engine.dispose()


async def _import(
    sessions: SessionFactory, file: Path, *, pid: int, carries: bool
) -> dict[str, object]:
    clock = SystemClock()
    brand_id, store_id, uploader, confirmer = await _people(sessions)
    words = Words()
    runner = ImportRunner(
        sessions=sessions,
        seal=Seal("a key of the bench that is long enough"),
        clock=clock,
        names=names_of([words.table("imports", language) for language in LANGUAGES]),
    )
    began = time.perf_counter()
    with file.open("rb") as opened:
        examined = examine(opened, bytes_max=1_000_000_000)
        command = ReceiveImport(
            brand_id=brand_id,
            kind=ImportKind.CARDS,
            file_name=file.name,
            file_bytes=examined.file_bytes,
            sha256=examined.sha256,
            store_id=store_id,
            source="",
            by=uploader,
            now=clock.now(),
        )
        async with transaction(sessions) as tx:
            received = await receive_import(tx, command, pieces_of(opened))
    processor = Processor(pid)
    kept = time.perf_counter()
    await runner.check(received.import_id)
    checked = time.perf_counter()
    async with transaction(sessions) as tx:
        one = await get_import(tx, received.import_id, brand_id=brand_id)
    figures: dict[str, object] = {
        "upload kept, seconds": round(kept - began, 2),
        "check, seconds": round(checked - kept, 2),
        "check, rows a second": int(one.row_count / (checked - kept)),
        **processor.told("check", one.row_count),
        "rows": one.row_count,
        "rows with faults": one.faulty_count,
    }
    if carries:
        figures |= await _carry(sessions, one, runner=runner, by=confirmer, now=clock.now())
        figures |= processor.told("carry over", one.good_count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak memory, MiB"] = peak // 1024
    figures["books"] = await _books(sessions) if carries else "untouched"
    return figures


async def _carry(
    sessions: SessionFactory, one: Any, *, runner: ImportRunner, by: UUID, now: datetime
) -> dict[str, object]:
    async with transaction(sessions) as tx:
        await confirm_import(
            tx,
            ConfirmImport(
                import_id=one.id,
                brand_id=one.brand_id,
                row_count=one.good_count,
                principal_fen=one.principal_fen,
                bonus_fen=one.bonus_fen,
                points=one.points,
                skips_faulty=False,
                by=by,
                now=now,
            ),
        )
    began = time.perf_counter()
    carried = await runner.carry(one.id)
    seconds = time.perf_counter() - began
    assert carried is not None
    return {
        "carry over, seconds": round(seconds, 2),
        "carry over, rows a second": int(carried.done_count / seconds),
        "rows left out": carried.left_out_count,
    }


async def _books(sessions: SessionFactory) -> str:
    verdict = await verify_ledger(sessions)
    return "sound" if verdict.is_sound else "NOT SOUND"


async def _people(sessions: SessionFactory) -> tuple[BrandId, UUID, UUID, UUID]:
    """Return the brand, its store, and two new people: who uploads and who confirms."""
    now = SystemClock().now()
    async with transaction(sessions) as tx:
        store = (await tx.execute(text("SELECT id, brand_id FROM stores LIMIT 1"))).one()
        people = [
            await create_staff(
                tx,
                brand_id=store.brand_id,
                login=role.value,
                name=role.value,
                roles=[RoleAt(role, None)],
                password_hash=None,
                pin_hash=None,
                actor=SYSTEM,
                now=now,
            )
            for role in (StaffRoleName.MARKETER, StaffRoleName.FINANCE)
        ]
    return BrandId(store.brand_id), store.id, people[0], people[1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the file (200000)")
    parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--check-only", dest="carry", action="store_false")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    parser.add_argument("--server-pid", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not 1 <= asked.rows <= ROWS_MAX:
        parser.error(f"--rows 1 to {ROWS_MAX}")
    return asked


if __name__ == "__main__":
    sys.exit(main())

"""A real process killed with SIGKILL in the middle of a batch: another goes on, nothing twice."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import ImportStatus
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.locks import lock_names
from o2o.ledger.verify import verify_ledger
from tests.factories.imports import Office, cards, many_cards
from tests.factories.members import count

AT_ONCE = 20
TOTAL = 120
# What the relay starts, in smaller steps.
PROGRAM = f"""
from o2o.app.cli import main
from o2o.membership.actions import import_carry
import_carry.CARDS_AT_ONCE = {AT_ONCE}
main(["import", "work"])
"""


async def working(database_url: str, data_dir: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM),
        env=os.environ
        | {
            "O2O_DATABASE_URL": database_url,
            "O2O_DATA_DIR": str(data_dir),
            "O2O_SECRET_KEY": "a key for tests that is long enough",
        },
        stdout=asyncio.subprocess.DEVNULL,
    )


async def until_it_waits(sessions: SessionFactory) -> None:
    """Return when somebody waits for a lock by name."""
    while True:
        async with transaction(sessions) as tx:
            waiting = await tx.scalar(
                text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            )
        if waiting:
            return
        await asyncio.sleep(0.02)


async def until_it_began(office: Office, import_id: UUID) -> None:
    """Return when the first batch is in."""
    while True:
        if (await office.see(import_id)).done_count:
            return
        await asyncio.sleep(0.01)


async def test_a_killed_process_leaves_whole_batches_and_another_finishes(
    office: Office, sessions: SessionFactory, database_url: str, tmp_path: Path
) -> None:
    one = await office.checked(cards(*many_cards(TOTAL)))
    await office.confirm(one)
    killed = await working(database_url, tmp_path)
    await until_it_began(office, one.id)
    async with transaction(sessions) as tx:
        # The next batch has the import and waits for the name: there it dies.
        await lock_names(tx, f"import:{office.brand.id}")
        await until_it_waits(sessions)
        killed.send_signal(signal.SIGKILL)
        assert await killed.wait() == -signal.SIGKILL
    async with transaction(sessions) as tx:
        # Its transaction ends with its connection; what it held is free then.
        await tx.execute(text("SELECT 1 FROM imports WHERE id = :id FOR UPDATE"), {"id": one.id})
    left = await office.see(one.id)
    assert left.status is ImportStatus.CONFIRMED
    assert (left.done_count % AT_ONCE, 0 < left.done_count < TOTAL) == (0, True)
    assert await count(sessions, "offline_cards") == left.done_count

    assert await (await working(database_url, tmp_path)).wait() == 0

    done = await office.see(one.id)
    assert (done.status, done.done_count, done.left_out_count) == (ImportStatus.DONE, TOTAL, 0)
    for table in ("members", "cards", "offline_cards"):
        assert await count(sessions, table) == TOTAL
    async with transaction(sessions) as tx:
        sums = await tx.execute(
            text("SELECT kind, sum(remaining)::bigint FROM ledger_lots GROUP BY kind ORDER BY kind")
        )
        assert [tuple(row) for row in sums] == [
            ("bonus", 200 * TOTAL),
            ("points", 3 * TOTAL),
            ("principal", 1_000 * TOTAL),
        ]
    assert (await verify_ledger(sessions)).is_sound

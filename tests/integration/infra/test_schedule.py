"""The schedule: due work runs once, a failure is noted and comes round, one process holds a job."""

import asyncio
from datetime import datetime

from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx
from o2o.infra.schedule import Schedule
from o2o.infra.subscriptions import Registry
from tests.fakes.clock import FakeClock


async def test_due_work_runs_once_per_period(sessions: SessionFactory, clock: FakeClock) -> None:
    runs: list[datetime] = []

    async def work(_: Tx, now: datetime) -> None:
        runs.append(now)

    registry = Registry()
    registry.schedule("test.work", every_seconds=60, run=work)
    schedule = Schedule(sessions=sessions, registry=registry, clock=clock)
    await schedule.register()

    assert await schedule.run_due()
    assert not await schedule.run_due()
    clock.advance(seconds=61)
    assert await schedule.run_due()
    assert len(runs) == 2


async def test_a_failed_job_undoes_its_work_is_noted_and_comes_round(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    async def work(tx: Tx, _: datetime) -> None:
        await tx.execute(
            text("INSERT INTO handled_messages VALUES ('half', 1, now())"),
        )
        raise RuntimeError("halfway")

    registry = Registry()
    registry.schedule("test.work", every_seconds=60, run=work)
    schedule = Schedule(sessions=sessions, registry=registry, clock=clock)
    await schedule.register()
    assert await schedule.run_due()

    async with sessions() as session:
        row = (await session.execute(text("SELECT * FROM scheduled_jobs"))).one()
        half = await session.scalar(text("SELECT count(*) FROM handled_messages"))
    assert "halfway" in row.last_error
    assert row.leased_until is None
    assert half == 0
    clock.advance(seconds=61)
    assert await schedule.run_due()


async def test_two_processes_do_not_run_one_job_at_once(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    runs = 0

    async def work(_: Tx, __: datetime) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.05)

    registry = Registry()
    registry.schedule("test.work", every_seconds=60, run=work)
    schedules = [Schedule(sessions=sessions, registry=registry, clock=clock) for _ in range(4)]
    await schedules[0].register()
    await asyncio.gather(*(schedule.run_due() for schedule in schedules))
    assert runs == 1

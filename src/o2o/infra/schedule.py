"""The schedule: work that comes round, run by whichever relay holds its lease."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.logging import get_logger
from o2o.infra.subscriptions import Registry, Timetable
from o2o.kernel.clock import Clock

log = get_logger(__name__)

LEASE_SECONDS = 300
TICK_SECONDS = 1.0

_REGISTER = text(
    "INSERT INTO scheduled_jobs (name, every_seconds, due_at) VALUES (:name, :every, :now)"
    " ON CONFLICT (name) DO UPDATE SET every_seconds = excluded.every_seconds"
)
_CLAIM = text(
    "UPDATE scheduled_jobs SET leased_until = :until WHERE name = ("
    " SELECT name FROM scheduled_jobs WHERE due_at <= :now AND name = ANY(CAST(:names AS text[]))"
    " AND (leased_until IS NULL OR leased_until < :now)"
    " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING name"
)
_SETTLE = text(
    "UPDATE scheduled_jobs SET leased_until = NULL, last_run_at = :now, last_error = :error,"
    " due_at = CAST(:now AS timestamptz) + make_interval(secs => every_seconds) WHERE name = :name"
)


class Schedule:
    """Runs due jobs, each in a transaction of its own."""

    def __init__(self, *, sessions: SessionFactory, registry: Registry, clock: Clock) -> None:
        """Run what `registry` has on its timetable."""
        self._sessions = sessions
        self._registry = registry
        self._clock = clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish the job in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Look for due jobs until stopped."""
        is_registered = False
        while not self._stopping.is_set():
            try:
                if not is_registered:
                    await self.register()
                    is_registered = True
                while await self.run_due() and not self._stopping.is_set():
                    pass
            except Exception as error:  # noqa: BLE001 - the schedule outlives an absent database
                log.warning("schedule.round_failed", error=repr(error))
            try:
                await asyncio.wait_for(self._stopping.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    async def register(self) -> None:
        """Put the registry's jobs on the timetable; known ones keep their next time."""
        async with transaction(self._sessions) as tx:
            for timetable in self._registry.timetables.values():
                await tx.execute(
                    _REGISTER,
                    {
                        "name": timetable.name,
                        "every": timetable.every_seconds,
                        "now": self._clock.now(),
                    },
                )

    async def run_due(self) -> bool:
        """Run one due job, if there is one."""
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            name = await tx.scalar(
                _CLAIM,
                {
                    "until": now + timedelta(seconds=LEASE_SECONDS),
                    "now": now,
                    "names": list(self._registry.timetables),
                },
            )
        if name is None:
            return False
        await self._run_one(self._registry.timetables[str(name)])
        return True

    async def _run_one(self, timetable: Timetable) -> None:
        now = self._clock.now()
        try:
            async with transaction(self._sessions) as tx:
                await timetable.run(tx, now)
                await _settle(tx, timetable.name, now=now, error=None)
        except Exception as error:
            log.exception("schedule.job_failed", job=timetable.name)
            async with transaction(self._sessions) as tx:
                await _settle(tx, timetable.name, now=now, error=repr(error)[:2000])


async def _settle(tx: Tx, name: str, *, now: datetime, error: str | None) -> None:
    await tx.execute(_SETTLE, {"name": name, "now": now, "error": error})

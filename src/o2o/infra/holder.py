"""Proof of life of a process that holds outbox messages: a session lock that ends with it.

A lease has to outlast the slowest honest work, so it says late that its holder is dead. The lock
says it at once: PostgreSQL lets it go when the connection ends, however the process ended. Leases
stay what they are; here those of the dead are ended early.
"""

import asyncio
import random

from sqlalchemy.exc import DBAPIError

from o2o.infra.direct import Direct
from o2o.infra.logging import get_logger

log = get_logger(__name__)

BEAT_SECONDS = 0.5
# The first half of the lock's key: nothing else of ours takes locks of two numbers.
LOCK_CLASS = 0x0200
NUMBER_MAX = 2**31 - 1

_LOCK = "SELECT pg_try_advisory_lock($1, $2) AS is_mine"
_LIVING = (
    "SELECT objid::bigint AS number, pid = pg_backend_pid() AS is_mine FROM pg_locks"
    " WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_FREE = (
    "UPDATE outbox_messages SET leased_until = NULL"
    " WHERE leased_until IS NOT NULL AND dead_at IS NULL AND leased_by IS NOT NULL"
    " AND leased_by <> ALL($1::bigint[]) RETURNING id"
)


class Holder:
    """One per process that runs relays."""

    def __init__(self, direct: Direct) -> None:
        """Hold the lock on a connection that nothing else uses."""
        self._direct = direct
        self._known: frozenset[int] | None = None
        # Under what number this process holds messages; None: their leases must run out.
        self.number: int | None = None
        # Set after the first beat, successful or not: lanes that begin before hold unprovably.
        self.has_tried = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Live until stopped. An absent database is waited for."""
        try:
            while not self._stopping.is_set():
                try:
                    await self.beat()
                except (DBAPIError, OSError, TimeoutError) as error:
                    self.number = self._known = None
                    log.warning("holder.beat_missed", error=repr(error))
                self.has_tried.set()
                try:
                    await asyncio.wait_for(self._stopping.wait(), BEAT_SECONDS)
                except TimeoutError:
                    continue
        finally:
            self.number = None
            await self._direct.close()

    async def beat(self) -> None:
        """Hold the lock, and free what was held by those who have died since the last beat.

        Raises DBAPIError, OSError, TimeoutError.
        """
        living = await self._living()
        if not self._is_seen(living):
            # A connection that was lost took the lock along; others may have seen that.
            self.number = await self._begin()
            living = await self._living()
            if not self._is_seen(living):
                # Where our own lock cannot be seen, absence proves nobody's death.
                return
        known, self._known = self._known, frozenset(living)
        if known is None or not known <= self._known:
            freed = await self._direct.fetch(_FREE, list(living))
            if freed:
                log.info("holder.leases_freed", messages=len(freed))

    def _is_seen(self, living: dict[int, bool]) -> bool:
        """Whether our own lock is among those that are held, and by this connection."""
        return self.number is not None and living.get(self.number, False)

    async def _living(self) -> dict[int, bool]:
        rows = await self._direct.fetch(_LIVING, LOCK_CLASS)
        return {row["number"]: row["is_mine"] for row in rows}

    async def _begin(self) -> int | None:
        number = random.randint(1, NUMBER_MAX)  # noqa: S311 - distinct, not secret
        [row] = await self._direct.fetch(_LOCK, LOCK_CLASS, number)
        return number if row["is_mine"] else None

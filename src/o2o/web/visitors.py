"""Who is behind a cookie or a key: found, and the session noted as in use."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from o2o.infra.database import SessionFactory, Tx
from o2o.infra.direct import reading_direct
from o2o.infra.logging import get_logger
from o2o.infra.reader import Reader
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.web.principals import APIClient, Clerk, ConsoleStaff, Diner
from o2o.web.queries import principals as queries
from o2o.web.queries.principals import EnrolledPad, Seen
from o2o.web.sessions import TOUCH_EVERY, touch_sessions

log = get_logger(__name__)

P = TypeVar("P")


class Visitors:
    """Finds who asks; those who ask at the same time are looked up together."""

    def __init__(self, sessions: SessionFactory, *, seal: Seal, clock: Clock) -> None:
        """Ask this database; `seal` knows the hashes of cookies and keys."""
        self._sessions = sessions
        self._seal = seal
        self._clock = clock
        self._diners: Reader[bytes, Seen[Diner] | None] = Reader(
            self._list_diners, sessions=sessions
        )
        self._people: Reader[bytes, Seen[ConsoleStaff] | None] = Reader(
            self._list_console_staff, sessions=sessions
        )
        self._keys: Reader[bytes, APIClient | None] = Reader(
            queries.list_api_clients, sessions=sessions
        )
        self._touches: Reader[bytes, None] = Reader(self._touch, sessions=sessions)
        self._noting: set[asyncio.Task[None]] = set()

    async def settle(self) -> None:
        """Wait until everything there was to note is noted."""
        if self._noting:
            await asyncio.wait(self._noting)

    async def find_diner(self, token: str) -> Diner | None:
        """Return the diner of a live session. That it is in use is noted meanwhile.

        No page waits for it: what is lost with a killed process is seconds of seven days.
        """
        token_hash = self._seal.hash_of(token, use="session")
        seen = await self._diners.submit(token_hash)
        if seen is not None and self._is_due(seen):
            noting = asyncio.create_task(self._touches.submit(token_hash))
            self._noting.add(noting)
            noting.add_done_callback(self._noted_meanwhile)
        return seen.principal if seen else None

    async def find_console_staff(self, token: str) -> ConsoleStaff | None:
        """Return the person of a live console session."""
        token_hash = self._seal.hash_of(token, use="session")
        return await self._noted(token_hash, await self._people.submit(token_hash))

    async def find_pad(self, secret: str) -> EnrolledPad | None:
        """Return the pad that holds this secret, unless it was revoked."""
        async with reading_direct(self._sessions) as tx:
            return await queries.find_pad(tx, self._seal.hash_of(secret, use="pad"))

    async def find_clerk(self, token: str, *, pad: EnrolledPad) -> Clerk | None:
        """Return the clerk of a live session on this pad."""
        token_hash = self._seal.hash_of(token, use="session")
        async with reading_direct(self._sessions) as tx:
            seen = await queries.find_clerk(tx, token_hash, pad=pad, now=self._clock.now())
        return await self._noted(token_hash, seen)

    async def find_clerk_at(self, secret: str, *, token: str) -> Clerk | None:
        """Return the clerk of a live session on the pad that holds this secret."""
        pad = await self.find_pad(secret)
        return await self.find_clerk(token, pad=pad) if pad else None

    async def find_api_client(self, key: str) -> APIClient | None:
        """Return the system that holds this key, unless it was revoked."""
        return await self._keys.submit(self._seal.hash_of(key, use="api_key"))

    async def _noted(self, token_hash: bytes, seen: Seen[P] | None) -> P | None:
        if seen is None:
            return None
        if self._is_due(seen):
            await self._touches.submit(token_hash)
        return seen.principal

    def _is_due(self, seen: Seen[Any]) -> bool:
        return self._clock.now() - seen.last_seen_at >= TOUCH_EVERY

    def _noted_meanwhile(self, noting: asyncio.Task[None]) -> None:
        self._noting.discard(noting)
        if not noting.cancelled() and (error := noting.exception()) is not None:
            log.warning("visitors.not_noted", error=repr(error))

    async def _list_diners(
        self, tx: Tx, token_hashes: Sequence[bytes]
    ) -> Sequence[Seen[Diner] | None]:
        return await queries.list_diners(tx, token_hashes, now=self._clock.now())

    async def _list_console_staff(
        self, tx: Tx, token_hashes: Sequence[bytes]
    ) -> Sequence[Seen[ConsoleStaff] | None]:
        return await queries.list_console_staff(tx, token_hashes, now=self._clock.now())

    async def _touch(self, tx: Tx, token_hashes: Sequence[bytes]) -> Sequence[None]:
        await touch_sessions(tx, token_hashes, now=self._clock.now())
        return [None] * len(token_hashes)

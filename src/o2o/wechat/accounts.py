"""Official accounts with opened credentials, kept in the process: a callback needs no read."""

import asyncio
import time
from typing import Protocol
from uuid import UUID

from o2o.crm.organisation import OfficialAccount
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.infra.seal import Seal, SealBroken
from o2o.kernel.errors import Unavailable
from o2o.wechat.errors import AccountNotFound
from o2o.wechat.official_account import Account, open_account
from o2o.wechat.queries import accounts as queries

log = get_logger(__name__)

REFRESH_SECONDS = 30.0
# A name nobody knows may be an account registered a moment ago, or an attack: ask this often.
MISS_REFRESH_SECONDS = 5.0


class AccountsUnavailable(Unavailable):
    """The accounts were never read, because the database is away since the start."""

    code = "wechat.accounts_unavailable"


class Ticking(Protocol):
    """A monotonic clock in seconds; tests bring their own."""

    def __call__(self) -> float:
        """Return seconds from some fixed moment."""
        ...


class Accounts:
    """One process's cache: read again every 30 s, on a miss every 5 s, kept when reading fails."""

    def __init__(
        self, *, sessions: SessionFactory, seal: Seal, ticks: Ticking = time.monotonic
    ) -> None:
        """Start empty; the first question reads the database."""
        self._sessions = sessions
        self._seal = seal
        self._ticks = ticks
        self._by_slug: dict[str, Account] = {}
        self._by_id: dict[UUID, Account] = {}
        self._tried_at = float("-inf")
        self._is_read = False
        self._reading: asyncio.Task[None] | None = None

    def peek(self, slug: str) -> Account | None:
        """Return an account if the cache knows it; read again in the background when it is old."""
        if self._ticks() - self._tried_at >= REFRESH_SECONDS:
            _ = self._start_reading()
        return self._by_slug.get(slug)

    async def find(self, slug: str) -> Account | None:
        """Return an account, reading the database for an unknown name at most every 5 s.

        Raises AccountsUnavailable when nothing could be read since the start.
        """
        account = self.peek(slug)
        if account is None and self._may_read_for_miss():
            await self._read_shared()
            account = self._by_slug.get(slug)
        if account is None and not self._is_read:
            raise AccountsUnavailable
        return account

    async def get(self, slug: str) -> Account:
        """Return an account. Raises AccountNotFound, AccountsUnavailable."""
        account = await self.find(slug)
        if account is None:
            raise AccountNotFound(account=slug)
        return account

    async def get_by_id(self, account_id: UUID) -> Account:
        """Return an account by its identity. Raises AccountNotFound, AccountsUnavailable."""
        account = self._by_id.get(account_id)
        if account is None and self._may_read_for_miss():
            await self._read_shared()
            account = self._by_id.get(account_id)
        if account is None and not self._is_read:
            raise AccountsUnavailable
        if account is None:
            raise AccountNotFound(account_id=str(account_id))
        return account

    def all(self) -> list[Account]:
        """Return the accounts known now, by slug."""
        return list(self._by_slug.values())

    async def refresh(self) -> None:
        """Read the accounts now. Raises what the database raises; the old ones stay then."""
        self._tried_at = self._ticks()
        async with transaction(self._sessions) as tx:
            rows = await queries.list_accounts(tx)
        opened = [account for row in rows if (account := self._opened(row)) is not None]
        self._by_slug = {account.slug: account for account in opened}
        self._by_id = {account.id: account for account in opened}
        self._is_read = True

    def _may_read_for_miss(self) -> bool:
        return not self._is_read or self._ticks() - self._tried_at >= MISS_REFRESH_SECONDS

    def _start_reading(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._tried_at = self._ticks()
            self._reading = asyncio.create_task(self._read_quietly())
        return self._reading

    async def _read_shared(self) -> None:
        await asyncio.shield(self._start_reading())

    async def _read_quietly(self) -> None:
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - the accounts we have stay in use
            log.warning("wechat.accounts_not_read", error=repr(error))

    def _opened(self, row: OfficialAccount) -> Account | None:
        earlier = self._by_id.get(row.id)
        try:
            account = open_account(row, self._seal)
        except (SealBroken, ValueError) as error:
            # One account with broken credentials must not silence the others.
            log.error("wechat.account_unusable", account=row.slug, error=repr(error))  # noqa: TRY400
            return None
        # Unchanged accounts keep their object, and with it the expanded AES key.
        return earlier if earlier == account else account

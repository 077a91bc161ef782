"""Credentials that expire: renewed once across all processes, kept encrypted, ahead of expiry.

No call to WeChat is made inside a transaction: one transaction takes the lease, the call is made,
another writes the result. Whoever does not get the lease waits and reads what the holder wrote.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.infra.seal import Seal, SealBroken
from o2o.kernel.clock import Clock
from o2o.wechat.actions import renew_tokens as actions
from o2o.wechat.errors import WeChatAway
from o2o.wechat.official_account import Account
from o2o.wechat.queries import tokens as queries
from o2o.wechat.queries.tokens import StoredToken

log = get_logger(__name__)

# WeChat gives a new stable token in the last five minutes of the old one, and both work then.
AHEAD = timedelta(minutes=4)
WAIT_SECONDS_MAX = 15.0
POLL_SECONDS = 0.1


class Token(msgspec.Struct, frozen=True):
    """A credential in use. `version` tells which one was refused."""

    value: str
    version: int
    expires_at: datetime

    def __repr__(self) -> str:
        """Never show the value."""
        return f"Token(version={self.version}, expires_at={self.expires_at.isoformat()})"


class Fetched(msgspec.Struct, frozen=True):
    """What WeChat gave: a value and for how long, in seconds."""

    value: str
    expires_in: int


# Asks WeChat for a credential; given the value that was refused, if one was.
Fetch = Callable[[str | None], Awaitable[Fetched]]
Place = tuple[UUID, str]


class Tokens:
    """The credentials of all accounts, cached in the process, shared through the database."""

    def __init__(self, *, sessions: SessionFactory, seal: Seal, clock: Clock) -> None:
        """Start with nothing cached."""
        self._sessions = sessions
        self._seal = seal
        self._clock = clock
        self._cached: dict[Place, Token] = {}
        self._alone: defaultdict[Place, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def obtain(
        self, account: Account, kind: str, fetch: Fetch, *, refused: Token | None = None
    ) -> Token:
        """Return a usable credential, other than the one that was refused.

        Raises WeChatRefused, WeChatAway from fetching, or when another process takes too long.
        """
        place = (account.id, kind)
        cached = self._cached.get(place)
        if cached is not None and self._is_fresh(cached, refused):
            return cached
        # One task per process looks; the others find its result in the cache.
        async with self._alone[place]:
            cached = self._cached.get(place)
            if cached is not None and self._is_fresh(cached, refused):
                return cached
            token = await self._look(account, kind, fetch, refused=refused)
            self._cached[place] = token
            return token

    async def _look(
        self, account: Account, kind: str, fetch: Fetch, *, refused: Token | None
    ) -> Token:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while True:
            stored = await self._read(account, kind)
            token = self._opened(account, kind, stored)
            if token is not None and self._is_fresh(token, refused):
                return token
            version = stored.version if stored is not None else 0
            if await self._lease(account, kind, version):
                renewed = await self._renew(account, kind, fetch, old=token, version=version)
                if renewed is not None:
                    return renewed
                continue
            if token is not None and self._is_alive(token, refused):
                return token
            if time.monotonic() > deadline:
                raise WeChatAway(path=kind, reason="another process renews it too slowly")
            await asyncio.sleep(POLL_SECONDS)

    async def _renew(
        self, account: Account, kind: str, fetch: Fetch, *, old: Token | None, version: int
    ) -> Token | None:
        """Fetch under the lease; None when the lease ran out and somebody else wrote first."""
        try:
            fetched = await fetch(old.value if old is not None else None)
        except BaseException:
            async with transaction(self._sessions) as tx:
                await actions.release_renewal(tx, account_id=account.id, kind=kind, version=version)
            raise
        expires_at = self._clock.now() + timedelta(seconds=fetched.expires_in)
        async with transaction(self._sessions) as tx:
            new_version = await actions.store_token(
                tx,
                account_id=account.id,
                kind=kind,
                version=version,
                value_sealed=self._seal.seal(fetched.value, label=_label(account, kind)),
                expires_at=expires_at,
            )
        log.info("wechat.token_renewed", account=account.slug, kind=kind, version=new_version)
        return Token(fetched.value, new_version, expires_at) if new_version is not None else None

    async def _read(self, account: Account, kind: str) -> StoredToken | None:
        async with transaction(self._sessions) as tx:
            return await queries.find_token(tx, account_id=account.id, kind=kind)

    async def _lease(self, account: Account, kind: str, version: int) -> bool:
        async with transaction(self._sessions) as tx:
            return await actions.lease_renewal(
                tx, account_id=account.id, kind=kind, version=version, now=self._clock.now()
            )

    def _opened(self, account: Account, kind: str, stored: StoredToken | None) -> Token | None:
        if stored is None or stored.value_sealed is None or stored.expires_at is None:
            return None
        try:
            value = self._seal.unseal(stored.value_sealed, label=_label(account, kind))
        except SealBroken:
            # Sealed with another key: of no use, and WeChat gives a new one.
            return None
        return Token(value, stored.version, stored.expires_at)

    def _is_fresh(self, token: Token, refused: Token | None) -> bool:
        is_other = refused is None or token.version != refused.version
        return is_other and token.expires_at - self._clock.now() > AHEAD

    def _is_alive(self, token: Token, refused: Token | None) -> bool:
        """Whether an old one still works while its successor is fetched."""
        is_other = refused is None or token.version != refused.version
        return is_other and token.expires_at > self._clock.now() + timedelta(seconds=5)


def _label(account: Account, kind: str) -> str:
    return f"{account.appid}:{kind}"

"""Page authorisation: a browser goes round by WeChat and comes back with the name of its person.

The state is 128 random bits, of which the hash is kept, bound to the browser by its pre-session
cookie, good once and for five minutes. WeChat's WebView may load the return address twice: within
ten seconds the same browser gets the result of the first load. A code that WeChat does not take is
asked for once more, then it is an error, never a loop.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

from o2o.crm.statuses import Audience
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.infra.seal import Seal, new_token
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.web.sessions import open_session
from o2o.wechat.accounts import Accounts
from o2o.wechat.actions.keep_fans import FanProfile, keep_fan
from o2o.wechat.actions.oauth_states import (
    OpenState,
    keep_result,
    open_state,
    use_state,
)
from o2o.wechat.errors import (
    OAuthDeclined,
    OAuthFailed,
    OAuthScopeInvalid,
    OAuthStateInvalid,
    WeChatAway,
    WeChatRefused,
)
from o2o.wechat.gateway import Gateway
from o2o.wechat.official_account import Account
from o2o.wechat.queries import oauth as queries
from o2o.wechat.redirects import local_path

log = get_logger(__name__)

SCOPES = {"base": "snsapi_base", "userinfo": "snsapi_userinfo"}
EXCHANGE = "/sns/oauth2/access_token"
USER_INFO = "/sns/userinfo"
# Codes that are used, unknown or expired: the browser goes round once more.
CODE_REFUSED = frozenset({40029, 40163, 41008, 42003})
ROUNDS_MAX = 2
REUSE = timedelta(seconds=10)
STATE_BYTES = 16
TWIN_WAIT_SECONDS = 4.0
TWIN_POLL_SECONDS = 0.1


class Departure(msgspec.Struct, frozen=True):
    """Where a browser is sent, and the pre-session value it must carry."""

    location: str
    browser: str


class Arrival(msgspec.Struct, frozen=True):
    """A browser that WeChat named: where it goes on, with which session."""

    location: str
    session_token: str


class Named(msgspec.Struct, frozen=True):
    """Whom a code named."""

    profile: FanProfile
    is_snapshot: bool


class OAuth:
    """The way round, one per process. No transaction is open while WeChat is asked."""

    def __init__(
        self,
        *,
        settings: Settings,
        sessions: SessionFactory,
        seal: Seal,
        clock: Clock,
        accounts: Accounts,
        gateway: Gateway,
    ) -> None:
        """Send browsers to the settings' OAuth host and back to their public address."""
        self._settings = settings
        self._sessions = sessions
        self._seal = seal
        self._clock = clock
        self._accounts = accounts
        self._gateway = gateway

    async def depart(
        self, slug: str, *, next_path: str | None, scope: str, browser: str | None
    ) -> Departure:
        """Open a state and say where to go.

        Raises AccountNotFound, RedirectNotAllowed, OAuthScopeInvalid.
        """
        account = await self._accounts.get(slug)
        target = local_path(next_path or f"/h5/{slug}/card", slug=slug)
        if scope not in SCOPES:
            raise OAuthScopeInvalid(field="scope")
        return await self._send_round(
            account, browser=browser or new_token(), next_path=target, scope=scope, round_=0
        )

    async def arrive(
        self, slug: str, *, code: str | None, state: str | None, browser: str | None
    ) -> Arrival | Departure:
        """Take a browser back; a Departure means that it goes round once more.

        Raises OAuthStateInvalid, OAuthDeclined, OAuthFailed, WeChatAway, AccountNotFound.
        """
        account = await self._accounts.get(slug)
        if not state or not browser:
            raise OAuthStateInvalid(retry_url=_start_url(slug))
        found = await self._use(account, state=state, browser=browser)
        if found.is_used:
            return await self._arrive_again(account, found)
        if not code:
            asked = f"next={quote(found.next_path, safe='/')}&scope={found.scope}"
            raise OAuthDeclined(retry_url=f"{_start_url(slug)}?{asked}")
        try:
            named = await self._ask_wechat(account, code=code, scope=found.scope)
        except WeChatRefused as refusal:
            if refusal.errcode not in CODE_REFUSED or found.round + 1 >= ROUNDS_MAX:
                log.warning("oauth.failed", account=slug, errcode=refusal.errcode)
                raise OAuthFailed(errcode=refusal.errcode, retry_url=_start_url(slug)) from None
            return await self._send_round(
                account,
                browser=browser,
                next_path=found.next_path,
                scope=found.scope,
                round_=found.round + 1,
            )
        return await self._open(account, found, named)

    async def _use(self, account: Account, *, state: str, browser: str) -> OpenState:
        """Use a state up. Raises OAuthStateInvalid."""
        now = self._clock.now()
        state_hash = self._seal.hash_of(state, use="oauth_state")
        browser_hash = self._seal.hash_of(browser, use="oauth_browser")
        async with transaction(self._sessions) as tx:
            found = await use_state(
                tx,
                state_hash=state_hash,
                account_id=account.id,
                browser_hash=browser_hash,
                now=now,
                reuse_since=now - REUSE,
            )
        if found is None:
            raise OAuthStateInvalid(retry_url=_start_url(account.slug))
        return found

    async def _arrive_again(self, account: Account, found: OpenState) -> Arrival:
        """The second load of one return address: wait for the first, then do as it did."""
        deadline = time.monotonic() + TWIN_WAIT_SECONDS
        while True:
            async with transaction(self._sessions) as tx:
                result = await queries.find_result(tx, found.state_hash)
            if result is not None:
                return await self._open_session(
                    account, found, fan_id=result.fan_id, is_snapshot=result.is_snapshot
                )
            if time.monotonic() > deadline:
                raise OAuthStateInvalid(retry_url=_start_url(account.slug))
            await asyncio.sleep(TWIN_POLL_SECONDS)

    async def _ask_wechat(self, account: Account, *, code: str, scope: str) -> Named:
        answer = await self._gateway.get(
            EXCHANGE,
            {
                "appid": account.appid,
                "secret": account.secret,
                "code": code,
                "grant_type": "authorization_code",
            },
        )
        openid = _text(answer, "openid")
        if openid is None:
            raise WeChatAway(path=EXCHANGE, reason="an answer without openid")
        is_snapshot = answer.get("is_snapshotuser") == 1
        profile = FanProfile(openid=openid, unionid=_text(answer, "unionid"))
        token = _text(answer, "access_token")
        if scope == "userinfo" and token is not None and not is_snapshot:
            profile = await self._read_profile(profile, token)
        return Named(profile, is_snapshot)

    async def _read_profile(self, profile: FanProfile, token: str) -> FanProfile:
        """Add nickname and avatar; without them the person is named all the same."""
        try:
            answer = await self._gateway.get(
                USER_INFO, {"access_token": token, "openid": profile.openid, "lang": "zh_CN"}
            )
        except (WeChatRefused, WeChatAway) as error:
            log.info("oauth.profile_not_read", error=repr(error))
            return profile
        return FanProfile(
            openid=profile.openid,
            unionid=profile.unionid or _text(answer, "unionid"),
            nickname=_text(answer, "nickname"),
            avatar_url=_text(answer, "headimgurl"),
        )

    async def _open(self, account: Account, found: OpenState, named: Named) -> Arrival:
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            fan_id = await keep_fan(tx, account_id=account.id, profile=named.profile, now=now)
            await keep_result(tx, found.state_hash, fan_id=fan_id, is_snapshot=named.is_snapshot)
        return await self._open_session(
            account, found, fan_id=fan_id, is_snapshot=named.is_snapshot
        )

    async def _open_session(
        self, account: Account, found: OpenState, *, fan_id: UUID, is_snapshot: bool
    ) -> Arrival:
        async with transaction(self._sessions) as tx:
            token = await open_session(
                tx,
                seal=self._seal,
                audience=Audience.DINER,
                fan_id=fan_id,
                is_snapshot=is_snapshot,
                now=self._clock.now(),
            )
        return Arrival(local_path(found.next_path, slug=account.slug), token)

    async def _send_round(
        self, account: Account, *, browser: str, next_path: str, scope: str, round_: int
    ) -> Departure:
        state = secrets.token_hex(STATE_BYTES)
        now: datetime = self._clock.now()
        async with transaction(self._sessions) as tx:
            await open_state(
                tx,
                state_hash=self._seal.hash_of(state, use="oauth_state"),
                account_id=account.id,
                browser_hash=self._seal.hash_of(browser, use="oauth_browser"),
                next_path=next_path,
                scope=scope,
                round_=round_,
                now=now,
            )
        # This order of parameters and this fragment are part of the protocol.
        query = urlencode(
            {
                "appid": account.appid,
                "redirect_uri": (
                    f"{self._settings.public_url}/wechat/{account.slug}/oauth/callback"
                ),
                "response_type": "code",
                "scope": SCOPES[scope],
                "state": state,
            }
        )
        location = (
            f"{self._settings.wechat_oauth_url}/connect/oauth2/authorize?{query}#wechat_redirect"
        )
        return Departure(location, browser)


def _text(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    return value if isinstance(value, str) and value else None


def _start_url(slug: str) -> str:
    """Where a browser begins anew; without more it ends at the card."""
    return f"/wechat/{slug}/oauth"

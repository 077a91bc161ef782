"""WeChat's API with an account's token: one that is refused is renewed, and the call made again.

A new token may be refused, too: WeChat or somebody else with the account's secret may have ended it
meanwhile. As long as WeChat gives another one for the asking, that one is tried, too. A new one is
forced for the first refusal only: WeChat allows that twenty times a day (WECHAT.md §2).
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from o2o.infra.logging import get_logger
from o2o.wechat.errors import WeChatAway, WeChatRefused
from o2o.wechat.gateway import Gateway
from o2o.wechat.official_account import Account
from o2o.wechat.tokens import Fetched, Token, Tokens

log = get_logger(__name__)

STABLE_TOKEN = "/cgi-bin/stable_token"  # noqa: S105 - an address
TICKET = "/cgi-bin/ticket/getticket"
# Invalid credential, invalid access_token, expired access_token.
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
# How many tokens one call tries before it says that its token is refused.
TOKENS_MAX = 4
# A third is not tried when it took so long until the second was refused: errands hold a lease.
PATIENCE_SECONDS = 15.0

Call = Callable[[str], Awaitable[dict[str, Any]]]


class WeChatAPI:
    """Calls for an account. Raises WeChatRefused and WeChatAway."""

    def __init__(self, *, gateway: Gateway, tokens: Tokens) -> None:
        """Go out through `gateway` with what `tokens` holds."""
        self.gateway = gateway
        self._tokens = tokens

    async def post(self, account: Account, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST JSON with the account's access token."""
        return await self._with_token(
            account, lambda token: self.gateway.post(path, body, access_token=token)
        )

    async def get(
        self, account: Account, path: str, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """GET with the account's access token."""
        return await self._with_token(
            account,
            lambda token: self.gateway.get(path, {**(params or {}), "access_token": token}),
        )

    async def access_token(
        self, account: Account, *, refused: Token | None = None, forces: bool = True
    ) -> Token:
        """Return the account's access token, another one than the refused.

        Where WeChat repeats the refused one, a new one is forced, or that very token is returned.
        """
        return await self._tokens.obtain(
            account,
            "access_token",
            lambda old: self._fetch_access_token(account, old if refused and forces else None),
            refused=refused,
        )

    async def prove_credentials(self, account: Account) -> None:
        """Have WeChat look at AppID and AppSecret now; a token we hold would hide a changed one.

        Asking for the stable token again gives the same one and costs next to nothing.
        """
        await self._fetch_access_token(account, None)

    async def jsapi_ticket(self, account: Account) -> str:
        """Return the ticket with which pages are signed; it never leaves the server."""
        token = await self._tokens.obtain(
            account, "jsapi_ticket", lambda _: self._fetch_ticket(account)
        )
        return token.value

    async def _with_token(self, account: Account, call: Call) -> dict[str, Any]:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        token = await self.access_token(account)
        for number in range(1, TOKENS_MAX):
            try:
                return await call(token.value)
            except WeChatRefused as refusal:
                if refusal.errcode not in TOKEN_REFUSED:
                    raise
                log.info("wechat.token_refused", account=account.slug, errcode=refusal.errcode)
                if number > 1 and time.monotonic() > ends_at:
                    raise
                other = await self.access_token(account, refused=token, forces=number == 1)
                if number > 1 and other.value == token.value:
                    raise
                token = other
        return await call(token.value)

    async def _fetch_access_token(self, account: Account, refused: str | None) -> Fetched:
        """Ask for the stable token; force a new one when WeChat repeats the one it refused."""
        body = {
            "grant_type": "client_credential",
            "appid": account.appid,
            "secret": account.secret,
        }
        fetched = _fetched(
            await self.gateway.post(STABLE_TOKEN, body), "access_token", STABLE_TOKEN
        )
        if refused is None or fetched.value != refused:
            return fetched
        forced = await self.gateway.post(STABLE_TOKEN, {**body, "force_refresh": True})
        return _fetched(forced, "access_token", STABLE_TOKEN)

    async def _fetch_ticket(self, account: Account) -> Fetched:
        return _fetched(await self.get(account, TICKET, {"type": "jsapi"}), "ticket", TICKET)


def _fetched(answer: Mapping[str, Any], name: str, path: str) -> Fetched:
    value, expires_in = answer.get(name), answer.get("expires_in")
    if not isinstance(value, str) or not value:
        raise WeChatAway(path=path, reason=f"an answer without {name}")
    if isinstance(expires_in, bool) or not isinstance(expires_in, int) or expires_in <= 0:
        raise WeChatAway(path=path, reason="an answer without expires_in")
    return Fetched(value, expires_in)

"""WeChat's API with an account's token: one that is refused is renewed, and the call made again.

A new token may be refused, too: WeChat or somebody else with the account's secret may have ended it
meanwhile. As long as WeChat gives another one for the asking, that one is tried, too. Where it
repeats the refused one, a new one is forced, once: WeChat allows that twenty times a day
(WECHAT.md §2).
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
ACCESS_TOKEN = "access_token"  # noqa: S105 - a name
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

    async def access_token(self, account: Account) -> Token:
        """Return the account's access token."""
        return await self._tokens.obtain(
            account, ACCESS_TOKEN, lambda _: self._fetch_access_token(account)
        )

    async def prove_credentials(self, account: Account) -> None:
        """Have WeChat look at AppID and AppSecret now; a token we hold would hide a changed one.

        Asking for the stable token again gives the same one and costs next to nothing.
        """
        await self._fetch_access_token(account)

    async def jsapi_ticket(self, account: Account) -> str:
        """Return the ticket with which pages are signed; it never leaves the server."""
        token = await self._tokens.obtain(
            account, "jsapi_ticket", lambda _: self._fetch_ticket(account)
        )
        return token.value

    async def _with_token(self, account: Account, call: Call) -> dict[str, Any]:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        is_forced = False
        token = await self.access_token(account)
        for number in range(1, TOKENS_MAX):
            try:
                return await call(token.value)
            except WeChatRefused as refusal:
                if refusal.errcode not in TOKEN_REFUSED:
                    raise
                log.info("wechat.token_refused", account=account.slug, errcode=refusal.errcode)
                if is_forced or (number > 1 and time.monotonic() > ends_at):
                    raise
            token, is_forced = await self._another_token(account, token)
        return await call(token.value)

    async def _another_token(self, account: Account, refused: Token) -> tuple[Token, bool]:
        """Return a token in the place of the refused, and whether it had to be forced here."""
        is_forced = False

        async def fetch(old: str | None) -> Fetched:
            nonlocal is_forced
            fetched = await self._fetch_access_token(account)
            if fetched.value != old:
                return fetched
            is_forced = True
            return await self._fetch_access_token(account, is_forced=True)

        token = await self._tokens.obtain(account, ACCESS_TOKEN, fetch, refused=refused)
        return token, is_forced

    async def _fetch_access_token(self, account: Account, *, is_forced: bool = False) -> Fetched:
        body = {
            "grant_type": "client_credential",
            "appid": account.appid,
            "secret": account.secret,
            **({"force_refresh": True} if is_forced else {}),
        }
        return _fetched(await self.gateway.post(STABLE_TOKEN, body), ACCESS_TOKEN, STABLE_TOKEN)

    async def _fetch_ticket(self, account: Account) -> Fetched:
        return _fetched(await self.get(account, TICKET, {"type": "jsapi"}), "ticket", TICKET)


def is_of_token(refusal: WeChatRefused) -> bool:
    """Whether the token for a call was refused: of the call itself WeChat has not heard."""
    return refusal.path == STABLE_TOKEN


def _fetched(answer: Mapping[str, Any], name: str, path: str) -> Fetched:
    value, expires_in = answer.get(name), answer.get("expires_in")
    if not isinstance(value, str) or not value:
        raise WeChatAway(path=path, reason=f"an answer without {name}")
    if isinstance(expires_in, bool) or not isinstance(expires_in, int) or expires_in <= 0:
        raise WeChatAway(path=path, reason="an answer without expires_in")
    return Fetched(value, expires_in)

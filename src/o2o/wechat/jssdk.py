"""JS-SDK signatures: made on the server, for pages of the account only; the ticket stays here."""

import secrets

import msgspec

from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.web.errors import RedirectNotAllowed
from o2o.wechat.accounts import Accounts
from o2o.wechat.api import WeChatAPI
from o2o.wechat.codec.signature import jsapi_signature
from o2o.wechat.errors import PageNotSignable
from o2o.wechat.redirects import local_path


class JSSDKConfig(msgspec.Struct, frozen=True, rename="camel"):
    """What a page hands to `wx.config`; names as the JS-SDK has them."""

    app_id: str
    timestamp: int
    nonce_str: str
    signature: str


class JSSDK:
    """Signs pages."""

    def __init__(
        self, *, settings: Settings, clock: Clock, accounts: Accounts, api: WeChatAPI
    ) -> None:
        """Sign addresses under the settings' public one."""
        self._public_url = settings.public_url
        self._clock = clock
        self._accounts = accounts
        self._api = api

    async def sign_page(self, slug: str, url: str) -> JSSDKConfig:
        """Sign a page's address, without its fragment.

        Raises PageNotSignable for any address that is no page of the account, AccountNotFound,
        WeChatRefused, WeChatAway.
        """
        account = await self._accounts.get(slug)
        page = url.partition("#")[0]
        try:
            if not page.startswith(f"{self._public_url}/"):
                raise PageNotSignable(field="url")
            local_path(page.removeprefix(self._public_url), slug=slug)
        except RedirectNotAllowed:
            raise PageNotSignable(field="url") from None
        ticket = await self._api.jsapi_ticket(account)
        nonce = secrets.token_hex(8)
        timestamp = int(self._clock.now().timestamp())
        return JSSDKConfig(
            app_id=account.appid,
            timestamp=timestamp,
            nonce_str=nonce,
            signature=jsapi_signature(ticket, nonce, timestamp=timestamp, url=page),
        )

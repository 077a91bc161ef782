"""Reads a new follower's unionid from WeChat, which silent page authorisation does not tell."""

from typing import Any
from uuid import UUID

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.subscriptions import Later
from o2o.wechat.accounts import Accounts, AccountsUnavailable
from o2o.wechat.actions.keep_fans import complete_fan
from o2o.wechat.api import WeChatAPI, is_of_token
from o2o.wechat.errcodes import Verdict, advice_for
from o2o.wechat.errors import AccountNotFound, WeChatAway, WeChatRefused

TOPIC = "wechat.read_fan"
USER_INFO = "/cgi-bin/user/info"


class FanReader:
    """Performs the errand that completes a fan. Nickname and avatar come back empty since 2021."""

    def __init__(self, *, sessions: SessionFactory, accounts: Accounts, api: WeChatAPI) -> None:
        """Read through `api`."""
        self._sessions = sessions
        self._accounts = accounts
        self._api = api

    async def read_fan(self, payload: dict[str, Any]) -> None:
        """Perform `wechat.read_fan`. Raises Later when WeChat may tell another time."""
        try:
            account = await self._accounts.get_by_id(UUID(payload["account_id"]))
            answer = await self._api.get(
                account, USER_INFO, {"openid": payload["openid"], "lang": "zh_CN"}
            )
        except (AccountNotFound, AccountsUnavailable, WeChatAway) as error:
            raise Later(repr(error)) from None
        except WeChatRefused as refusal:
            advice = advice_for(refusal.errcode)
            if advice.verdict is Verdict.NEVER and not is_of_token(refusal):
                return
            raise Later(repr(refusal), after_seconds=advice.after_seconds) from None
        unionid = answer.get("unionid")
        if isinstance(unionid, str) and unionid:
            async with transaction(self._sessions) as tx:
                await complete_fan(
                    tx, account_id=account.id, openid=payload["openid"], unionid=unionid
                )

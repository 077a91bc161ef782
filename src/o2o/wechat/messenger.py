"""The messenger: performs the errands that send queued messages, outside of any transaction."""

from typing import Any
from uuid import UUID

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.infra.subscriptions import Later
from o2o.kernel.clock import Clock
from o2o.wechat.accounts import Accounts, AccountsUnavailable
from o2o.wechat.actions.follow_accounts import unfollow_refused
from o2o.wechat.actions.record_deliveries import (
    keep_to_template,
    record_refusal,
    send_otherwise,
)
from o2o.wechat.api import WeChatAPI, is_of_token
from o2o.wechat.delivery_book import Check, DeliveryBook
from o2o.wechat.errcodes import Verdict, advice_for
from o2o.wechat.errors import AccountNotFound, WeChatAway, WeChatRefused
from o2o.wechat.official_account import Account
from o2o.wechat.queries.deliveries import QueuedDelivery
from o2o.wechat.template_setup import TemplateSetup

log = get_logger(__name__)

TEMPLATE_SEND = "/cgi-bin/message/template/send"
CUSTOM_SEND = "/cgi-bin/message/custom/send"
NOT_FOLLOWING = 43004
TEMPLATE_INVALID = 40037
TEMPLATE_AGAIN_SECONDS = 5
# A template will not be had for long: quota used up, too often, not authorised, API banned.
TEMPLATE_SHUT = frozenset({45009, 45011, 48001, 48004})


class Messenger:
    """Sends deliveries. The same client_msg_id on every attempt, so that WeChat shows one."""

    def __init__(
        self,
        *,
        sessions: SessionFactory,
        clock: Clock,
        accounts: Accounts,
        api: WeChatAPI,
        templates: TemplateSetup,
        public_url: str,
    ) -> None:
        """Make paths of ours whole with `public_url`."""
        self._sessions = sessions
        self._clock = clock
        self._accounts = accounts
        self._api = api
        self._templates = templates
        self._public_url = public_url
        self._book = DeliveryBook(sessions=sessions, clock=clock)

    def ask_before(self, name: str, check: Check) -> None:
        """Ask `check` before a message about `name` is sent: what is over is not told any more."""
        self._book.ask_before(name, check)

    async def send_template(self, payload: dict[str, Any]) -> None:
        """Perform `wechat.send_template`. Raises Later when WeChat may take it another time."""
        delivery = await self._book.open(UUID(payload["delivery_id"]))
        if delivery is None:
            return
        account = await self._account(delivery)
        template_id = delivery.template_id or await self._new_template_id(account, delivery)
        if template_id is None:
            return
        body = {
            "touser": delivery.openid,
            "template_id": template_id,
            "data": {
                field: {"value": value} for field, value in _table(delivery.content["data"]).items()
            },
            "client_msg_id": delivery.client_msg_id,
        }
        if url := self._whole_url(str(delivery.content.get("url") or "")):
            body["url"] = url
        await self._send(account, delivery, path=TEMPLATE_SEND, body=body)

    async def send_custom(self, payload: dict[str, Any]) -> None:
        """Perform `wechat.send_custom`. Raises Later when WeChat may take it another time."""
        delivery = await self._book.open(UUID(payload["delivery_id"]))
        if delivery is None:
            return
        account = await self._account(delivery)
        body = {
            "touser": delivery.openid,
            **delivery.content,
            "client_msg_id": delivery.client_msg_id,
        }
        await self._send(account, delivery, path=CUSTOM_SEND, body=body)

    async def _account(self, delivery: QueuedDelivery) -> Account:
        try:
            return await self._accounts.get_by_id(delivery.account_id)
        except (AccountNotFound, AccountsUnavailable) as error:
            raise Later(repr(error), after_seconds=30) from error

    async def _new_template_id(self, account: Account, delivery: QueuedDelivery) -> str | None:
        """Find or add the purpose's template; None when the message goes another way."""
        assert delivery.purpose is not None
        try:
            ids = await self._templates.ensure_templates(account)
        except WeChatRefused as refusal:
            if not is_of_token(refusal) and await self._goes_otherwise(delivery, refusal):
                return None
            raise Later(
                f"no template for {delivery.purpose}: {refusal!r}", after_seconds=60
            ) from None
        except WeChatAway as error:
            raise Later(f"no template for {delivery.purpose}: {error!r}", after_seconds=5) from None
        if delivery.purpose not in ids:
            raise Later(f"no template for {delivery.purpose}", after_seconds=300)
        return ids[delivery.purpose]

    async def _goes_otherwise(self, delivery: QueuedDelivery, refusal: WeChatRefused) -> bool:
        if delivery.otherwise is None:
            return False
        async with transaction(self._sessions) as tx:
            return await send_otherwise(
                tx,
                delivery,
                errcode=refusal.errcode,
                error=refusal.errmsg,
                now=self._clock.now(),
            )

    async def _send(
        self, account: Account, delivery: QueuedDelivery, *, path: str, body: dict[str, Any]
    ) -> None:
        try:
            answer = _sent(await self._api.post(account, path, body), path)
        except WeChatRefused as refusal:
            await self._settle_refusal(account, delivery, refusal)
            return
        except WeChatAway as error:
            if delivery.otherwise is not None:
                async with transaction(self._sessions) as tx:
                    await keep_to_template(tx, delivery.id)
            raise Later(f"{error.path}: {error.reason}") from None
        msgid = answer.get("msgid")
        await self._book.accept(delivery, msgid=str(msgid) if msgid is not None else None)

    async def _settle_refusal(
        self, account: Account, delivery: QueuedDelivery, refusal: WeChatRefused
    ) -> None:
        advice = advice_for(refusal.errcode)
        reason = f"{refusal.path}: {refusal.errcode} {refusal.errmsg}"
        later = Later(reason, after_seconds=advice.after_seconds)
        if is_of_token(refusal):
            raise later
        if refusal.errcode == TEMPLATE_INVALID and delivery.purpose is not None:
            # Deleted on the platform: the next attempt finds or adds another.
            await self._templates.forget(account, delivery.purpose)
            raise Later("the template is gone", after_seconds=TEMPLATE_AGAIN_SECONDS)
        is_for_good = advice.verdict is Verdict.NEVER and refusal.errcode != NOT_FOLLOWING
        if (is_for_good or refusal.errcode in TEMPLATE_SHUT) and await self._goes_otherwise(
            delivery, refusal
        ):
            return
        if advice.verdict is not Verdict.NEVER:
            raise later
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            await record_refusal(
                tx, delivery.id, errcode=refusal.errcode, error=refusal.errmsg, now=now
            )
            if refusal.errcode == NOT_FOLLOWING:
                await unfollow_refused(tx, account_id=account.id, openid=delivery.openid, now=now)
        log.info("wechat.delivery_refused", account=account.slug, errcode=refusal.errcode)

    def _whole_url(self, url: str) -> str:
        return f"{self._public_url}{url}" if url.startswith("/") else url


def _sent(answer: dict[str, Any], path: str) -> dict[str, Any]:
    """Return an answer that says so by its errcode; another object is not WeChat's.

    Raises WeChatAway.
    """
    if answer.get("errcode") != 0:
        raise WeChatAway(path=path, reason="an answer without errcode")
    return answer


def _table(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value

"""Setting up an account's templates: each purpose gets one of WeChat's library, found or added."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.wechat.actions.keep_templates import forget_template, keep_templates
from o2o.wechat.api import WeChatAPI
from o2o.wechat.errors import WeChatAway
from o2o.wechat.official_account import Account
from o2o.wechat.queries import deliveries as queries
from o2o.wechat.templates import Purpose, purposes

log = get_logger(__name__)

LIST = "/cgi-bin/template/get_all_private_template"
ADD = "/cgi-bin/template/api_add_template"


class TemplateSetup:
    """Finds or adds the templates of our purposes and keeps their ids."""

    def __init__(self, *, sessions: SessionFactory, api: WeChatAPI) -> None:
        """Work for any account."""
        self._sessions = sessions
        self._api = api
        self._alone: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ensure_templates(self, account: Account) -> dict[str, str]:
        """Return the template id of every purpose, adding what the account lacks.

        A template that fits by title and fields is used as it is: an account holds 25 at most.
        Raises WeChatRefused, WeChatAway.
        """
        async with self._alone[account.id]:
            stored = await self._stored(account)
            present = await self.list_present(account)
            ids: dict[str, str] = {}
            for name, purpose in purposes().items():
                known = stored.get(name)
                ids[name] = (
                    known
                    if known in present
                    else _fitting(purpose, present) or await self._add(account, purpose)
                )
            async with transaction(self._sessions) as tx:
                await keep_templates(tx, account_id=account.id, ids=ids)
            return ids

    async def list_present(self, account: Account) -> dict[str, Mapping[str, Any]]:
        """Return the account's templates at WeChat by id. Raises WeChatRefused, WeChatAway."""
        answer = await self._api.get(account, LIST)
        listed = answer.get("template_list")
        if not isinstance(listed, list):
            raise WeChatAway(path=LIST, reason="an answer without template_list")
        return {str(entry.get("template_id")): entry for entry in listed if isinstance(entry, dict)}

    async def forget(self, account: Account, purpose: str) -> None:
        """Drop a template id that WeChat no longer knows."""
        async with transaction(self._sessions) as tx:
            await forget_template(tx, account_id=account.id, purpose=purpose)

    async def _stored(self, account: Account) -> dict[str, str]:
        async with transaction(self._sessions) as tx:
            return await queries.list_templates(tx, account.id)

    async def _add(self, account: Account, purpose: Purpose) -> str:
        answer = await self._api.post(
            account,
            ADD,
            {"template_id_short": purpose.short_id, "keyword_name_list": purpose.keywords},
        )
        template_id = answer.get("template_id")
        if not isinstance(template_id, str) or not template_id:
            raise WeChatAway(path=ADD, reason="an answer without template_id")
        log.info("wechat.template_added", account=account.slug, short_id=purpose.short_id)
        return template_id


def _fitting(purpose: Purpose, present: Mapping[str, Mapping[str, Any]]) -> str | None:
    for template_id, entry in present.items():
        if fits(purpose, entry):
            return template_id
    return None


def fits(purpose: Purpose, entry: Mapping[str, Any]) -> bool:
    """Whether a template of the account has exactly the title and fields of a purpose."""
    content = str(entry.get("content", ""))
    fields = [f"{{{{{field}.DATA}}}}" for field in purpose.fields.values()]
    return (
        entry.get("title") == purpose.title
        and all(field in content for field in fields)
        and content.count(".DATA}}") == len(fields)
    )

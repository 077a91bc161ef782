"""The doctor: checks each official account against WeChat and says what to fix."""

import secrets
from enum import StrEnum
from urllib.parse import urlencode

import msgspec

from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.wechat.accounts import Accounts
from o2o.wechat.api import WeChatAPI
from o2o.wechat.codec.signature import sign
from o2o.wechat.errcodes import advice_key
from o2o.wechat.errors import WeChatAway, WeChatRefused
from o2o.wechat.official_account import Account
from o2o.wechat.outcomes import DOCTOR_ECHO
from o2o.wechat.template_setup import TemplateSetup, fits
from o2o.wechat.templates import purposes

MENU = "/cgi-bin/menu/get"
MENU_MISSING = 46003
IP_NOT_ALLOWED = 40164


class Health(StrEnum):
    """How a check ended."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one account. `key` names what was found, `detail` the particulars."""

    account: str
    check: str
    health: Health
    key: str
    detail: dict[str, str] = {}


class Doctor:
    """Examines accounts; asks WeChat, changes nothing."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        accounts: Accounts,
        api: WeChatAPI,
        templates: TemplateSetup,
    ) -> None:
        """Examine with the credentials in use."""
        self._settings = settings
        self._clock = clock
        self._accounts = accounts
        self._api = api
        self._templates = templates

    async def examine_all(self) -> list[Finding]:
        """Examine every account. Raises what the database raises when it is away."""
        await self._accounts.refresh()
        found = [
            finding for account in self._accounts.all() for finding in await self.examine(account)
        ]
        if not found:
            return [_finding("", "accounts", Health.WARNING, key="doctor.no_accounts")]
        return found

    async def examine(self, account: Account) -> list[Finding]:
        """Examine one account; without a token the checks that need one are left out."""
        credentials = await self._check_credentials(account)
        findings = [credentials, await self._check_callback(account)]
        if credentials.health is Health.GOOD:
            findings += await self._check_templates(account)
            findings.append(await self._check_menu(account))
        return findings

    async def _check_credentials(self, account: Account) -> Finding:
        try:
            await self._api.prove_credentials(account)
        except (WeChatRefused, WeChatAway) as error:
            return _refused(account, "credentials", error)
        return _finding(account.slug, "credentials", Health.GOOD, key="doctor.credentials_good")

    async def _check_callback(self, account: Account) -> Finding:
        """Call our own public address as WeChat would, with a right signature."""
        timestamp = str(int(self._clock.now().timestamp()))
        nonce, echo = secrets.token_hex(5), DOCTOR_ECHO + secrets.token_hex(8)
        url = f"{self._settings.public_url}/wechat/{account.slug}/callback"
        query = {
            "signature": sign(account.keys.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "echostr": echo,
        }
        try:
            status, body = await self._api.gateway.fetch_page(f"{url}?{urlencode(query)}")
        except WeChatAway as error:
            return _finding(
                account.slug,
                "callback",
                Health.BAD,
                key="doctor.callback_unreachable",
                url=url,
                reason=error.reason,
            )
        if status != 200 or body != echo.encode():
            return _finding(
                account.slug,
                "callback",
                Health.BAD,
                key="doctor.callback_wrong",
                url=url,
                status=str(status),
            )
        return _finding(account.slug, "callback", Health.GOOD, key="doctor.callback_good", url=url)

    async def _check_templates(self, account: Account) -> list[Finding]:
        try:
            present = await self._templates.list_present(account)
        except (WeChatRefused, WeChatAway) as error:
            return [_refused(account, "templates", error)]
        findings = []
        for name, purpose in purposes().items():
            is_there = any(fits(purpose, entry) for entry in present.values())
            findings.append(
                _finding(
                    account.slug,
                    "templates",
                    Health.GOOD if is_there else Health.WARNING,
                    key="doctor.template_good" if is_there else "doctor.template_missing",
                    purpose=name,
                    title=purpose.title,
                    short_id=purpose.short_id,
                )
            )
        return findings

    async def _check_menu(self, account: Account) -> Finding:
        try:
            await self._api.get(account, MENU)
        except WeChatRefused as refusal:
            if refusal.errcode != MENU_MISSING:
                return _refused(account, "menu", refusal)
            return _finding(account.slug, "menu", Health.WARNING, key="doctor.menu_missing")
        except WeChatAway as error:
            return _refused(account, "menu", error)
        return _finding(account.slug, "menu", Health.GOOD, key="doctor.menu_good")


def _refused(account: Account, check: str, error: WeChatRefused | WeChatAway) -> Finding:
    if isinstance(error, WeChatAway):
        return _finding(
            account.slug, check, Health.BAD, key="doctor.wechat_away", reason=error.reason
        )
    return _finding(
        account.slug,
        check,
        Health.BAD,
        key="doctor.ip_not_allowed" if error.errcode == IP_NOT_ALLOWED else "doctor.refused",
        errcode=str(error.errcode),
        errmsg=error.errmsg,
        advice_key=advice_key(error.errcode),
    )


def _finding(account: str, check: str, health: Health, *, key: str, **detail: str) -> Finding:
    return Finding(account=account, check=check, health=health, key=key, detail=detail)

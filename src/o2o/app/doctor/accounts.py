"""The doctor on official accounts: each field of WeChat's console that can be wrong, by name."""

from urllib.parse import urlsplit

from o2o.app.doctor.pushes import Seen, judge_pushes, judge_unknown_names
from o2o.app.doctor.report import Level, Remark, fail, ok, warn
from o2o.app.runtime import Runtime
from o2o.crm.organisation import OfficialAccount
from o2o.crm.statuses import CallbackMode
from o2o.crm.wechat import CallbackOutcome
from o2o.infra.database import transaction
from o2o.infra.seal import SealBroken
from o2o.web.copy import Words
from o2o.wechat.doctor import Finding, Health
from o2o.wechat.official_account import Account, open_account
from o2o.wechat.outcomes import NO_ACCOUNT, Outcome
from o2o.wechat.queries.accounts import list_accounts
from o2o.wechat.queries.outcomes import (
    find_last_message_at,
    find_last_sign_in_at,
    list_outcomes,
)
from o2o.wechat.services import WeChatServices

_LEVELS = {Health.GOOD: Level.OK, Health.WARNING: Level.WARN, Health.BAD: Level.FAIL}
_CODES = {
    "doctor.credentials_good": "account.credentials_good",
    "doctor.callback_good": "callback.good",
    "doctor.template_good": "template.present",
    "doctor.template_missing": "template.missing",
    "doctor.menu_good": "menu.published",
    "doctor.menu_missing": "menu.missing",
    "doctor.wechat_away": "wechat.away",
    "doctor.ip_not_allowed": "account.ip_not_listed",
}
# What WeChat answers to AppID and AppSecret.
_REFUSED = {
    "40001": "account.secret_wrong",
    "40013": "account.appid_wrong",
    "40125": "account.secret_wrong",
    "40243": "account.secret_frozen",
}
_UNREACHABLE = {
    "SSLError": "callback.certificate",
    "ConnectTimeout": "callback.timeout",
    "ReadTimeout": "callback.timeout",
}
_WRONG = {
    "200": "callback.rewritten",
    "301": "callback.redirected",
    "302": "callback.redirected",
    "307": "callback.redirected",
    "308": "callback.redirected",
    "403": "callback.refused",
    "404": "callback.not_routed",
    "502": "callback.not_serving",
    "503": "callback.not_serving",
    "504": "callback.not_serving",
}


async def examine_accounts(runtime: Runtime, words: Words) -> list[Remark]:
    """Examine every official account; ask WeChat, change nothing."""
    services = WeChatServices(
        settings=runtime.settings,
        seal=runtime.seal,
        sessions=runtime.sessions,
        clock=runtime.clock,
        words=words,
    )
    try:
        async with transaction(runtime.sessions) as tx:
            rows = await list_accounts(tx)
            strays = [_seen(one) for one in await list_outcomes(tx, NO_ACCOUNT)]
        remarks = [] if rows else [fail("accounts.none")]
        for row in rows:
            remarks += await _examine(runtime, services, row)
        remarks += judge_unknown_names(
            strays, slugs=[row.slug for row in rows], public_url=runtime.settings.public_url
        )
        return remarks
    finally:
        await services.stop()


async def _examine(
    runtime: Runtime, services: WeChatServices, row: OfficialAccount
) -> list[Remark]:
    try:
        account = open_account(row, runtime.seal)
    except (SealBroken, ValueError):
        return [fail("account.unreadable", row.slug)]
    findings = [_remark(finding) for finding in await services.doctor.examine(account)]
    # The order in which the console is filled in: credentials and callback, then what comes in.
    return [
        *findings[:2],
        *_mode(account.slug, row.mode, is_demo=runtime.settings.demo),
        *await _examine_pushes(runtime, account, row.mode),
        *findings[2:],
    ]


def _mode(slug: str, mode: CallbackMode, *, is_demo: bool) -> list[Remark]:
    if mode is CallbackMode.SAFE or is_demo:
        return []
    return [warn("account.mode_not_safe", slug, mode=mode.value)]


async def _examine_pushes(runtime: Runtime, account: Account, mode: CallbackMode) -> list[Remark]:
    public_url = runtime.settings.public_url
    async with transaction(runtime.sessions) as tx:
        outcomes = await list_outcomes(tx, account.slug)
        message_at = await find_last_message_at(tx, account.id)
        sign_in_at = await find_last_sign_in_at(tx, account.id)
    remarks = judge_pushes(
        account.slug,
        mode=mode,
        seen=[_seen(one) for one in outcomes],
        message_at=message_at,
        url=f"{public_url}/wechat/{account.slug}/callback",
    )
    if sign_in_at is not None:
        remarks.append(ok("oauth.seen", account.slug))
    else:
        remarks.append(
            warn(
                "oauth.unseen",
                account.slug,
                url=f"{public_url}/h5/{account.slug}/card",
                host=urlsplit(public_url).netloc,
            )
        )
    return remarks


def _seen(row: CallbackOutcome) -> Seen:
    return Seen(Outcome(row.outcome), row.count, row.last_at)


def _remark(finding: Finding) -> Remark:
    """Name what the exchange with WeChat showed as exactly as its details allow."""
    detail = finding.detail
    advice = {}
    match finding.key:
        case "doctor.callback_unreachable":
            code = _UNREACHABLE.get(detail["reason"], "callback.unreachable")
        case "doctor.callback_wrong":
            code = _WRONG.get(detail["status"], "callback.failed")
        case "doctor.refused":
            code = _refused(finding.check, detail["errcode"])
            advice = {
                "title": f"{detail['advice_key']}.title",
                "advice": f"{detail['advice_key']}.action",
            }
        case key:
            code = _CODES[key]
    return Remark(
        level=_LEVELS[finding.health],
        code=code,
        subject=finding.account,
        values=detail,
        advice=advice,
    )


def _refused(check: str, errcode: str) -> str:
    if check == "credentials":
        return _REFUSED.get(errcode, "account.refused")
    return f"{check}.refused"

"""The doctor: what it finds on a healthy account and on one with each fault."""

import msgspec

from o2o.wechat.doctor import Health
from tests.factories.wechat import WORDS
from tests.integration.wechat.sandboxed.conftest import Stage


async def found(stage: Stage) -> dict[str, list[tuple[Health, str]]]:
    by_check: dict[str, list[tuple[Health, str]]] = {}
    for finding in await stage.services.doctor.examine_all():
        assert finding.account == stage.account.slug
        by_check.setdefault(finding.check, []).append((finding.health, finding.key))
    return by_check


async def test_a_new_account_lacks_templates_and_a_menu(stage: Stage) -> None:
    assert await found(stage) == {
        "credentials": [(Health.GOOD, "doctor.credentials_good")],
        "callback": [(Health.GOOD, "doctor.callback_good")],
        "templates": [(Health.WARNING, "doctor.template_missing")] * 16,
        "menu": [(Health.WARNING, "doctor.menu_missing")],
    }


async def test_an_account_set_up_is_healthy(stage: Stage) -> None:
    await stage.services.templates.ensure_templates(stage.account)
    menu = {"button": [{"type": "click", "name": "余额", "key": "balance"}]}
    await stage.services.api.post(stage.account, "/cgi-bin/menu/create", menu)
    healths = {health for checks in (await found(stage)).values() for health, _ in checks}
    assert healths == {Health.GOOD}


async def test_an_address_off_the_whitelist(stage: Stage) -> None:
    message = "invalid ip 47.94.148.108 ipv6 ::ffff:47.94.148.108, not in whitelist"
    await stage.fail("/cgi-bin/stable_token", errcode=40164, errmsg=message)
    [finding, callback] = await stage.services.doctor.examine(stage.account)
    assert (finding.health, finding.key) == (Health.BAD, "doctor.ip_not_allowed")
    assert finding.detail["errmsg"] == message
    assert WORDS.text(f"{finding.detail['advice_key']}.title", "zh_CN")
    assert callback.health is Health.GOOD


async def test_a_wrong_secret(stage: Stage) -> None:
    wrong = msgspec.structs.replace(stage.account, secret="0" * 32)
    [finding, _] = await stage.services.doctor.examine(wrong)
    assert (finding.key, finding.detail["errcode"]) == ("doctor.refused", "40125")


async def test_a_wrong_token_shows_at_the_callback(stage: Stage) -> None:
    keys = msgspec.structs.replace(stage.account.keys, token="another")
    wrong = msgspec.structs.replace(stage.account, keys=keys)
    findings = await stage.services.doctor.examine(wrong)
    [callback] = [finding for finding in findings if finding.check == "callback"]
    assert (callback.health, callback.key) == (Health.BAD, "doctor.callback_wrong")
    assert callback.detail["status"] == "403"


async def test_wechat_away(stage: Stage) -> None:
    await stage.fail("/cgi-bin/*", status=502)
    [finding, _] = await stage.services.doctor.examine(stage.account)
    assert (finding.health, finding.key) == (Health.BAD, "doctor.wechat_away")

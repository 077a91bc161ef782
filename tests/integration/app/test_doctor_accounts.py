"""The doctor names the one console field that is wrong: real product, real sandbox, one each."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.app.accounts import OTHER_AES_KEY, issue, register, send_word
from tests.integration.app.programs import Installation, Serving, codes

# Slug → the mode in the console, and what was registered wrong.
ACCOUNTS: dict[str, tuple[str, dict[str, str]]] = {
    "good": ("safe", {}),
    "compatible": ("compatible", {"mode": "safe"}),
    "quiet": ("safe", {}),
    "shaken": ("safe", {}),
    "wrong-appid": ("safe", {"appid": "wx0123456789abcdef"}),
    "wrong-secret": ("safe", {"secret": "0" * 32}),
    "wrong-token": ("safe", {"token": "SomeOtherToken"}),
    "wrong-key": ("safe", {"encoding_aes_key": OTHER_AES_KEY}),
    "console-plain": ("plain", {"mode": "safe"}),
    "console-safe": ("safe", {"mode": "plain"}),
    "wrong-id": ("safe", {"original_id": "gh_000000000000"}),
}


@pytest.fixture(scope="module")
def findings(
    installation: Installation,
    sandbox: httpx.Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[dict[str, Any]]]:
    """What the doctor finds after each account was set up in the console and sent a word."""
    public_url = installation.settings["public_url"]
    issued = [
        (issue(sandbox, slug, callback=f"{public_url}/wechat/{slug}/callback", mode=mode), wrong)
        for slug, (mode, wrong) in ACCOUNTS.items()
    ]
    register(installation, issued)
    slip = f"{public_url}/wechat/goood/callback"
    issue(sandbox, "slip", callback=slip)
    serving = Serving(installation, tmp_path_factory.mktemp("log") / "serve.log")
    try:
        for slug in ACCOUNTS:
            if slug != "quiet":
                sandbox.post(f"/_sandbox/accounts/{slug}/verify").raise_for_status()
            if slug not in {"quiet", "shaken"}:
                send_word(sandbox, slug)
        sandbox.post("/_sandbox/accounts/slip/verify")
        # The product writes refusals down beside the requests.
        written = serving_has_written(installation)
        assert written, "the refusals were not written down"
        status, found = installation.examine()
        assert status == 1
        yield found
    finally:
        serving.stop()


def serving_has_written(installation: Installation) -> bool:
    for _ in range(30):
        _, found = installation.examine()
        told = {one["code"] for one in found}
        if {"push.original_id", "push.unknown_name", "push.token"} <= told:
            return True
    return False


def about(findings: list[dict[str, Any]], slug: str) -> dict[str, str]:
    """Codes about an account that are no mere absence of templates, menu and visitors."""
    expected = {"template.missing", "menu.missing", "oauth.unseen"}
    return {code: level for code, level in codes(findings, slug).items() if code not in expected}


@pytest.mark.parametrize("slug", ["good", "compatible"])
def test_an_account_that_is_right_has_nothing_to_mend(
    findings: list[dict[str, Any]], slug: str
) -> None:
    assert about(findings, slug) == {
        "account.credentials_good": "ok",
        "callback.good": "ok",
        "push.good": "ok",
    }


def test_templates_menu_and_authorisation_are_only_warned_of(
    findings: list[dict[str, Any]],
) -> None:
    assert {code: level for code, level in codes(findings, "good").items() if level != "ok"} == {
        "template.missing": "warn",
        "menu.missing": "warn",
        "oauth.unseen": "warn",
    }


@pytest.mark.parametrize(
    "slug,wrong",
    [
        ("wrong-token", {"push.token": "fail"}),
        ("wrong-key", {"push.aes_key": "fail"}),
        ("console-plain", {"push.mode_is_plain": "fail"}),
        ("console-safe", {"push.mode_is_not_plain": "fail"}),
        ("wrong-id", {"push.original_id": "fail"}),
        ("quiet", {"push.silent": "warn"}),
        ("shaken", {"push.handshake_only": "warn"}),
    ],
)
def test_what_comes_in_tells_the_wrong_field(
    findings: list[dict[str, Any]], slug: str, wrong: dict[str, str]
) -> None:
    assert about(findings, slug) == {
        "account.credentials_good": "ok",
        "callback.good": "ok",
        **wrong,
    }


def test_a_wrong_secret_is_told_by_name(findings: list[dict[str, Any]]) -> None:
    assert about(findings, "wrong-secret") == {
        "account.secret_wrong": "fail",
        "callback.good": "ok",
        "push.good": "ok",
    }


def test_a_wrong_appid_is_told_by_name_and_shows_in_messages(
    findings: list[dict[str, Any]],
) -> None:
    assert about(findings, "wrong-appid") == {
        "account.appid_wrong": "fail",
        "callback.good": "ok",
        "push.appid": "fail",
    }


def test_a_slip_in_the_address_is_told_with_the_right_ones(
    findings: list[dict[str, Any]],
) -> None:
    slips = [one for one in findings if one["code"] == "push.unknown_name"]
    assert [one["level"] for one in slips] == ["warn"]
    assert "/wechat/good/callback" in slips[0]["action"]


def test_the_installation_itself_is_well(findings: list[dict[str, Any]]) -> None:
    assert codes(findings) == {
        "settings.good": "ok",
        "demo.on": "warn",
        "sms.off": "warn",
        "disk.writable": "ok",
        "spool.empty": "ok",
        "database.good": "ok",
        "database.durable": "ok",
        "schema.current": "ok",
        "relay.running": "ok",
        "outbox.good": "ok",
        "product.ready": "ok",
        "push.unknown_name": "warn",
    }

"""What the doctor decides without asking anybody: pushes, address, disk, settings, language."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from o2o.app.doctor.address import examine_address
from o2o.app.doctor.disk import examine_disk
from o2o.app.doctor.pushes import Seen, judge_pushes
from o2o.app.doctor.report import Remark, exit_status, fail, language_from, ok, tell, warn
from o2o.app.doctor.settings import examine_settings
from o2o.crm.statuses import CallbackMode
from o2o.infra.settings import Settings
from o2o.web.copy import Words
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.outcomes import Outcome, outcome_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET_KEY = "x" * 48


def seen(outcome: Outcome, minute: int, count: int = 1) -> Seen:
    return Seen(outcome, count, NOON + timedelta(minutes=minute))


def told(*outcomes: Seen, message_minute: int | None = None) -> dict[str, str]:
    at = None if message_minute is None else NOON + timedelta(minutes=message_minute)
    remarks = judge_pushes(
        "reed", mode=CallbackMode.SAFE, seen=outcomes, message_at=at, url="https://x/"
    )
    return levels(remarks)


def levels(remarks: list[Remark]) -> dict[str, str]:
    return {remark.code: remark.level.value for remark in remarks}


def test_nothing_came_yet() -> None:
    assert told() == {"push.silent": "warn"}


def test_a_handshake_alone_is_half_the_way() -> None:
    assert told(seen(Outcome.HANDSHAKE, 1)) == {"push.handshake_only": "warn"}


def test_a_message_heals_every_earlier_refusal() -> None:
    refused = [seen(outcome, 1) for outcome in Outcome]
    assert told(*refused, message_minute=2) == {"push.good": "ok"}


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.HANDSHAKE])
def test_a_refusal_after_the_last_message_fails(outcome: Outcome) -> None:
    assert told(seen(outcome, 2), message_minute=1) == {f"push.{outcome.value}": "fail"}


def test_a_handshake_proves_the_token_and_nothing_inside_messages() -> None:
    shaken = seen(Outcome.HANDSHAKE, 5)
    assert told(seen(Outcome.TOKEN, 1), shaken) == {"push.handshake_only": "warn"}
    assert told(seen(Outcome.CLOCK, 1), shaken) == {"push.handshake_only": "warn"}
    assert told(seen(Outcome.AES_KEY, 1), shaken) == {"push.aes_key": "fail"}
    assert told(seen(Outcome.MODE_IS_PLAIN, 1), shaken) == {"push.mode_is_plain": "fail"}


def test_a_knock_by_anybody_does_not_hide_what_wechat_itself_showed() -> None:
    assert told(seen(Outcome.AES_KEY, 1), seen(Outcome.TOKEN, 2)) == {
        "push.aes_key": "fail",
        "push.token": "fail",
    }
    assert told(seen(Outcome.TOKEN, 1), seen(Outcome.AES_KEY, 2)) == {"push.aes_key": "fail"}


@pytest.mark.parametrize(
    "code,reason,outcome",
    [
        (RefusalCode.SIGNATURE_INVALID, "", Outcome.TOKEN),
        (RefusalCode.MESSAGE_SIGNATURE_INVALID, "", Outcome.TOKEN),
        (RefusalCode.MESSAGE_SIGNATURE_INVALID, "not encrypted", Outcome.MODE_IS_PLAIN),
        (RefusalCode.DECRYPT_FAILED, "padding", Outcome.AES_KEY),
        (RefusalCode.LENGTH_ILLEGAL, "length runs past the end", Outcome.AES_KEY),
        (RefusalCode.REPLAYED, "timestamp", Outcome.CLOCK),
        (RefusalCode.REPLAYED, "nonce", None),
        (RefusalCode.SIGNATURE_INVALID, "timestamp or nonce", None),
        (RefusalCode.ECHOSTR_MISSING, "", None),
        (RefusalCode.BODY_EMPTY, "", None),
    ],
)
def test_what_a_refusal_says_of_the_console(
    code: RefusalCode, reason: str, outcome: Outcome | None
) -> None:
    assert outcome_of(CallbackRefused(code, reason)) is outcome


@pytest.mark.parametrize(
    "url,codes",
    [
        ("https://o2o.example.com", {"address.good": "ok", "cookies.bound": "ok"}),
        ("https://o2o.example.com:443", {"address.good": "ok", "cookies.bound": "ok"}),
        ("https://o2o.example.com:8443", {"address.port": "fail", "cookies.bound": "ok"}),
        ("https://o2o.example.com/shop", {"address.has_path": "fail", "cookies.bound": "ok"}),
        ("http://o2o.example.com", {"address.not_https": "fail", "cookies.open": "fail"}),
        ("https://192.168.1.9", {"address.private": "fail", "cookies.bound": "ok"}),
        ("https://intranet", {"address.private": "fail", "cookies.bound": "ok"}),
        ("https://[::1]", {"address.private": "fail", "cookies.bound": "ok"}),
        ("https://47.94.148.108", {"address.no_domain": "fail", "cookies.bound": "ok"}),
    ],
)
def test_the_public_address(url: str, codes: dict[str, str]) -> None:
    settings = Settings(public_url=url, secret_key=SECRET_KEY, trusted_proxies=1)
    assert levels(examine_address(settings)) == codes


def test_a_proxy_that_nobody_was_told_of() -> None:
    settings = Settings(public_url="https://o2o.example.com", secret_key=SECRET_KEY)
    assert levels(examine_address(settings))["address.proxy_unknown"] == "warn"


def test_a_demo_on_a_public_address_fails() -> None:
    here = Settings(public_url="http://127.0.0.1:8000", demo=True)
    there = Settings(public_url="https://o2o.example.com", demo=True)
    assert levels(examine_address(here)) == {"demo.on": "warn"}
    assert levels(examine_address(there)) == {"demo.public": "fail"}


def test_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder, secret_key=SECRET_KEY)
    assert levels(examine_disk(settings)) == {"disk.missing": "fail"}
    folder.write_text("")
    assert levels(examine_disk(settings)) == {"disk.not_a_folder": "fail"}
    folder.unlink()
    folder.mkdir()
    folder.chmod(0o755)
    spool = folder / "spool"
    spool.mkdir()
    fine = {"disk.writable": "ok", "disk.open_to_read": "warn", "spool.empty": "ok"}
    assert room_aside(levels(examine_disk(settings))) == fine
    folder.chmod(0o777)
    assert levels(examine_disk(settings))["disk.open_to_write"] == "fail"
    folder.chmod(0o700)
    assert "disk.open_to_read" not in levels(examine_disk(settings))


def test_what_lies_in_the_spool(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    spool = tmp_path / "spool"
    spool.mkdir()
    settings = Settings(data_dir=tmp_path, secret_key=SECRET_KEY)
    (spool / "1.spool").write_bytes(b"")
    assert room_aside(levels(examine_disk(settings))) == {
        "disk.writable": "ok",
        "spool.empty": "ok",
    }, "a message of this second is on its way"
    os.utime(spool / "1.spool", (1, 1))
    (spool / "2.rejected").write_bytes(b"")
    assert room_aside(levels(examine_disk(settings))) == {
        "disk.writable": "ok",
        "spool.set_aside": "warn",
        "spool.waiting": "fail",
    }


def room_aside(found: dict[str, str]) -> dict[str, str]:
    """Without what the machine of the tests says of its disk."""
    return {code: level for code, level in found.items() if code != "disk.filling"}


def test_an_unreadable_demo_switch_is_not_guessed_past() -> None:
    settings, remarks = examine_settings({"O2O_DEMO": "maybe", "O2O_SECRET_KEY": "short"})
    assert settings is None
    assert [(remark.code, remark.values["name"]) for remark in remarks] == [
        ("settings.wrong", "O2O_DEMO")
    ]


def test_settings_that_do_and_names_that_mean_nothing() -> None:
    settings, remarks = examine_settings(
        {
            "O2O_SECRET_KEY": SECRET_KEY,
            "O2O_TEST_WORKERS": "2",
            "O2O_ZZZ": "1",
            "O2O_WORKER": "3",
            "PATH": "/bin",
        }
    )
    assert settings is not None
    assert [(remark.code, remark.values.get("name")) for remark in remarks] == [
        ("settings.good", None),
        ("settings.misspelt", "O2O_WORKER"),
        ("settings.unknown", "O2O_ZZZ"),
    ]


@pytest.mark.parametrize(
    "environment,language",
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh_CN"),
    ],
)
def test_the_language_of_a_terminal(environment: dict[str, str], language: str) -> None:
    assert language_from(environment) == language


def test_one_failure_is_enough() -> None:
    assert exit_status([ok("a"), warn("b")]) == 0
    assert exit_status([ok("a"), fail("b"), ok("c")]) == 1


def test_a_remark_is_one_line_whatever_it_carries() -> None:
    told_in_words = tell(fail("database.away", reason="a\nb"), Words(), "en")
    assert told_in_words.line().startswith("fail  the database cannot be reached: a b  → check")

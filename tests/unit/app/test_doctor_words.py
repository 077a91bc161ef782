"""Every code of the doctor has words in both languages, and no words are left over."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from o2o.app.doctor import accounts
from o2o.app.doctor.report import ARROW
from o2o.infra.settings import Settings
from o2o.wechat.outcomes import Outcome

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "src" / "o2o" / "app" / "doctor").glob("*.py"),
    ROOT / "src" / "o2o" / "app" / "commands" / "doctor.py",
]
CODE = re.compile(r'"((?!doctor\.)[a-z]+\.[a-z_0-9]+)"')
# Checks that WeChat may refuse beside the credentials; their names make codes.
REFUSABLE = ("templates.refused", "menu.refused")
ASIDE = {"settings_advice"}


def copy_of(language: str) -> dict[str, Any]:
    path = ROOT / "webviews" / "copy" / language / "doctor.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def codes_in_use() -> set[str]:
    found = {code for file in SOURCES for code in CODE.findall(file.read_text(encoding="utf-8"))}
    found |= {f"push.{outcome.value}" for outcome in Outcome if outcome is not Outcome.HANDSHAKE}
    return found | set(REFUSABLE) | {"doctor.fainted"}


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_codes_and_words_are_the_same_set(language: str) -> None:
    worded = {
        f"{noun}.{fact}"
        for noun, facts in copy_of(language).items()
        if noun not in ASIDE
        for fact in facts
    }
    assert sorted(codes_in_use() ^ worded) == []


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_whatever_does_not_work_comes_with_what_to_do(language: str) -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES)
    failing = set(re.findall(r'(?:fail|warn)\(\s*"([a-z]+\.[a-z_0-9]+)"', text))
    failing |= {f"push.{outcome.value}" for outcome in Outcome if outcome is not Outcome.HANDSHAKE}
    failing |= {*accounts._REFUSED.values(), *accounts._WRONG.values(), "account.refused"}
    words = copy_of(language)
    lacking = [
        code
        for code in sorted(failing)
        if not words[code.split(".")[0]][code.split(".")[1]].get("action")
    ]
    assert lacking == []


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_advice_is_for_settings_that_exist(language: str) -> None:
    assert set(copy_of(language)["settings_advice"]) <= set(Settings.__struct_fields__)


def test_what_the_guide_quotes_is_what_the_doctor_says() -> None:
    guide = (ROOT / "docs" / "wechat-setup.md").read_text(encoding="utf-8")
    quoted = re.findall(r"`((?:ok|warn|fail) +[^`]+)`", guide)
    patterns = [
        pattern_of(text.get("what", ""), text.get("action", ""))
        for noun, facts in copy_of("en").items()
        if noun not in ASIDE
        for text in facts.values()
    ]
    assert len(quoted) > 20
    unsaid = [line for line in quoted if not any(one.fullmatch(line) for one in patterns)]
    assert unsaid == []


def pattern_of(what: str, action: str) -> re.Pattern[str]:
    """Whatever line a pair of texts can make, with or without an account before it."""
    tail = f"  {ARROW} {action}" if action else ""
    text = re.sub(r"\\\{\w+\\\}", ".+", re.escape(f"{what}{tail}"))
    return re.compile(rf"(?:ok|warn|fail) +(?:[a-z0-9-]+: )?{text}")

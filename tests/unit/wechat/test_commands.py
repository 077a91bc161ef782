"""Command words: every spelling of a word names its command, and nothing else does."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.web.copy import Words
from o2o.wechat.chat.commands import CommandWords, fold
from o2o.wechat.router import ChatRouter
from tests.factories.wechat import WORDS


def words_of(folder: Path, chinese: str, english: str = "") -> Words:
    for language, content in (("zh_CN", chinese), ("en", english)):
        (folder / language).mkdir(parents=True)
        (folder / language / "commands.toml").write_text(content, encoding="utf-8")
    return Words(folder)


BALANCE = '[balance]\ntitle = "余额"\nwords = ["余额", "餘額", "YE"]\n'
BALANCE_EN = '[balance]\ntitle = "balance"\nwords = ["balance", "my balance"]\n'


@pytest.mark.parametrize(
    "text",
    [
        "余额",
        " 余额 ",
        "余 额",
        "余额。",
        "「余额」",
        "余额？！",
        "餘額",
        "ｙｅ",
        "Ye",
        "\u200b余额\n",
    ],
)
def test_spellings_of_one_word(tmp_path: Path, text: str) -> None:
    found = CommandWords(words_of(tmp_path, BALANCE, BALANCE_EN)).find(text)
    assert found is not None
    assert (found.command, found.locale) == ("balance", "zh_CN")


@pytest.mark.parametrize("text", ["余额多少", "我要查余额", "", "。", "余", "余额" * 20])
def test_other_texts_are_no_command(tmp_path: Path, text: str) -> None:
    assert CommandWords(words_of(tmp_path, BALANCE, BALANCE_EN)).find(text) is None


def test_digits_on_keys_are_digits() -> None:
    assert [fold(text) for text in ("1\ufe0f\u20e3", "1\u20e3", "\u2460", "\uff11\ufe0f")] == [
        "1"
    ] * 4


def test_an_english_word_is_answered_in_english(tmp_path: Path) -> None:
    found = CommandWords(words_of(tmp_path, BALANCE, BALANCE_EN)).find("My  Balance!")
    assert found is not None
    assert found.locale == "en"


def test_one_word_for_two_commands_is_a_mistake(tmp_path: Path) -> None:
    twice = BALANCE + '[points]\ntitle = "积分"\nwords = ["积分", "余额"]\n'
    with pytest.raises(ValueError, match="both balance and points"):
        CommandWords(words_of(tmp_path, twice))


def test_the_words_that_ship_are_consistent() -> None:
    words = CommandWords(WORDS)
    found = words.find("退出")
    assert found is not None
    assert found.command == "leave"
    assert words.has("leave")
    assert not words.has("no-such-command")


async def _answer(*_: object) -> list[None]:
    return []


def test_a_command_without_words_or_twice_cannot_be_registered() -> None:
    router = ChatRouter(WORDS)
    with pytest.raises(ValueError, match="no words"):
        router.command("no-such-command", _answer)
    router.command("leave", _answer)

    async def other(*_: object) -> list[None]:
        return []

    with pytest.raises(ValueError, match="answered twice"):
        router.command("leave", other)


@given(st.text(max_size=40))
def test_folding_is_stable(text: str) -> None:
    once = fold(text)
    assert fold(once) == once or not once.isascii()

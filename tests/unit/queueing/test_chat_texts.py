"""What texts about queues mean: lines, parties, places in lists; and what means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.queueing.rules.chat_texts import CalledText, ChatTables, ChatTexts, StatusText, TakeText
from o2o.queueing.rules.reply_sizes import as_many_as_fit
from o2o.web.copy import LANGUAGES
from tests.factories.wechat import WORDS

TEXTS = ChatTexts(ChatTables.of([WORDS.table("queueing_grammar", name) for name in LANGUAGES]))


@pytest.mark.parametrize(
    "text, letter",
    [
        ("11b", "B"),
        ("１１Ｂ", "B"),
        ("11 z", "Z"),
        ("十一a。", "A"),
        ("幺幺C", "C"),
        ("请问11b到几号了", "B"),
        ("11必", "B"),
        ("\u200b11b\n", "B"),
    ],
)
def test_called_lines(text: str, letter: str) -> None:
    assert TEXTS.called_line(text) == letter


@pytest.mark.parametrize(
    "text", ["", "11", "b", "1b", "111b", "11bb", "11b11b", "11é", "y#201212100900", "11b" * 20]
)
def test_what_is_no_line(text: str) -> None:
    assert TEXTS.called_line(text) is None


@pytest.mark.parametrize(
    "text, size, letter",
    [
        ("取号", None, None),
        ("排隊！", None, None),
        ("取号3人", 3, None),
        ("排队 ４位", 4, None),
        ("我要取號兩個人", 2, None),
        ("3人取号", 3, None),
        ("取b号", None, "B"),
        ("取号C 2人", 2, "C"),
        ("b业务取号", None, "B"),
        ("取号0人", 0, None),
        ("取号999999", 999_999, None),
        ("领号一百零二位", 102, None),
    ],
)
def test_numbers_wanted(text: str, size: int | None, letter: str | None) -> None:
    assert TEXTS.take(text) == TakeText(size, letter, is_english=False)


def test_english_is_noticed() -> None:
    assert TEXTS.take("queue 4 people") == TakeText(4, None, is_english=True)


@pytest.mark.parametrize(
    "text", ["取消排队", "不想排队了怎么办", "排队3人4人5人6人", "取号1234567", "3", "号"]
)
def test_what_is_no_wish_for_a_number(text: str) -> None:
    assert TEXTS.take(text) is None


@pytest.mark.parametrize(
    "text, size",
    [
        ("3", 3),
        ("三位", 3),
        ("我们五个人", 5),
        ("两大一小", 3),
        ("2大1小", 3),
        ("十", 10),
        ("十二个人", 12),
        ("二十位", 20),
        ("三二", 32),
        ("0", 0),
        ("一千", None),
        ("龙虾", None),
        ("", None),
    ],
)
def test_party_sizes(text: str, size: int | None) -> None:
    assert TEXTS.party_size(text) == size


@pytest.mark.parametrize(
    "text, place", [("2", 2), ("第二家", 2), ("②", 2), ("选3", 3), ("三号", 3), ("b", None)]
)
def test_places_in_a_list(text: str, place: int | None) -> None:
    assert TEXTS.place_in_list(text) == place


def test_questions_about_a_number() -> None:
    asked = ("查排队", "排队查询", "查询一下排队", "查号", "查一下取号", "排隊查詢一下")
    assert {TEXTS.asks_status(text) for text in asked} == {True}
    assert {TEXTS.asks_status(text) for text in ("排队", "查询", "取号3人", "查余额")} == {False}


def test_letters_of_lines() -> None:
    assert [TEXTS.letter(text) for text in ("b", "Ｂ", "b业务", "必", "bb", "1")] == [
        "B",
        "B",
        "B",
        "B",
        None,
        None,
    ]


def test_names_are_found_by_a_part_that_only_one_has() -> None:
    names = ["小灶静安寺店", "小灶湖滨店", "小灶湖滨二店"]
    asked = ("静安寺", "小灶湖滨店", "湖濱二", "小灶", "静", "浦东", "小灶湖滨店" * 9)
    assert [TEXTS.named(text, names) for text in asked] == [0, 1, 2, None, None, None, None]


def test_one_reading_for_everything_that_is_asked() -> None:
    asked = ("11b", "查排队", "取号3人", "今天有龙虾吗", "号", "取号" * 40)
    assert [TEXTS.meant(text) for text in asked] == [
        CalledText("B"),
        StatusText(),
        TakeText(3, None, is_english=False),
        None,
        None,
        None,
    ]


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = TEXTS.take(text)
    if found is not None and not TEXTS.asks_status(text) and not TEXTS.called_line(text):
        assert TEXTS.meant(text) == found
    TEXTS.place_in_list(text)
    TEXTS.letter(text)
    TEXTS.named(text, ["小灶静安寺店"])
    size = TEXTS.party_size(text)
    assert size is None or size >= 0


def test_a_reply_holds_whole_parts() -> None:
    parts = ["排队", "五十", "人"]
    assert as_many_as_fit(parts, separator="\n", size_max=13) == ["排队", "五十"]
    assert as_many_as_fit(parts, separator="\n", size_max=17) == parts
    assert as_many_as_fit(parts, separator="\n", size_max=1) == ["排队"]
    assert as_many_as_fit([], separator="\n", size_max=1) == []

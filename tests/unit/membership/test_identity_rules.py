"""Phones, names, card codes, limits on sending and who survives: decided on plain values."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.membership.errors_identity import NameInvalid, PhoneInvalid
from o2o.membership.rules.merging import (
    Joined,
    MarketingAnswer,
    choose_survivor,
    excess_fen,
    wants_marketing,
)
from o2o.membership.rules.names import parse_real_name
from o2o.membership.rules.phones import mask_phone, parse_phone
from o2o.membership.rules.scratch_cards import fold_card_code, fold_card_no
from o2o.membership.rules.verification import PERSON_LIMITS, new_phone_code, seconds_to_wait

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed",
    [
        "13800010001",
        " 138 0001 0001 ",
        "+86 138-0001-0001",
        "0086 13800010001",
        "8613800010001",
        "１３８０００１０００１",
        "＋８６　１３８　０００１　０００１",
        "(+86)138.0001.0001",
        "\u202d13800010001\u202c",
        "138\u20110001\u20110001",
    ],
)
def test_a_phone_is_read_as_people_write_it(typed: str) -> None:
    assert parse_phone(typed) == "13800010001"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1380001000",
        "138000100011",
        "12800010001",
        "23800010001",
        "+1 3800010001",
        "86 8613800010001",
        "1380001000a",
        "13800010001,13800010002",
        "٠١٣٨٠٠٠١٠٠٠",
        "1.38E+10",
        "1" * 1000,
    ],
)
def test_what_is_no_mobile_number_is_refused(typed: str) -> None:
    with pytest.raises(PhoneInvalid) as refused:
        parse_phone(typed)
    assert refused.value.field == "phone"


def test_a_phone_is_shown_masked() -> None:
    assert mask_phone("13800010001") == "138****0001"


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("王小明", "王小明"),
        (" 欧阳  娜娜 ", "欧阳 娜娜"),
        ("阿卜杜热合曼·买买提", "阿卜杜热合曼·买买提"),
        ("迪丽・热巴", "迪丽·热巴"),
        ("迪丽•热巴", "迪丽·热巴"),
        ("Emma O'Neill-Clarke", "Emma O'Neill-Clarke"),
        ("Ｅｍｍａ", "Emma"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_a_real_name_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert parse_real_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "王",
        "王1",
        "王\x00明",
        "王\u200b明",
        "·王明",
        "王明·",
        "王··明",
        "王<b>",
        "😀😀",
        "王" * 31,
        "13800010001",
    ],
)
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(NameInvalid):
        parse_real_name(typed)


@pytest.mark.parametrize(
    "typed,kept",
    [
        ("ab0i-cd l2", "AB01CD12"),
        ("ＡＢ１２", "AB12"),
        ("OIL0", "0110"),
        ("ABU1", None),
        ("A1", None),
        ("AB12!", None),
    ],
)
def test_a_scratch_code_is_folded_the_way_people_misread(typed: str, kept: str | None) -> None:
    assert fold_card_code(typed) == kept


def test_letters_of_a_card_number_stay_what_they_are() -> None:
    assert fold_card_no(" so 0001 ") == "SO0001"
    assert fold_card_no("no'card") is None
    assert fold_card_no("X" * 65) is None


@given(st.text(max_size=80))
def test_folding_never_fails_and_is_stable(typed: str) -> None:
    for fold in (fold_card_no, fold_card_code):
        once = fold(typed)
        assert once is None or fold(once) == once


def test_codes_have_six_digits_and_differ() -> None:
    codes = {new_phone_code() for _ in range(50)}
    assert len(codes) > 40
    assert all(len(code) == 6 and code.isdigit() for code in codes)


@pytest.mark.parametrize(
    "ages,wait",
    [
        ([], 0),
        ([60], 0),
        ([59], 1),
        ([0], 60),
        ([61, 200, 300, 400], 0),
        ([61, 200, 300, 400, 3599], 1),
        ([61, 200, 300, 400, 3600], 0),
        ([*range(4000, 4000 + 9 * 4000, 4000), 86_399], 1),
    ],
)
def test_the_wait_is_until_the_strictest_limit_allows(ages: list[int], wait: int) -> None:
    sent = [NOON - timedelta(seconds=age) for age in ages]
    assert seconds_to_wait(sent, limits=PERSON_LIMITS, now=NOON) == wait


def test_who_joined_first_survives_and_the_smaller_id_where_they_joined_at_once() -> None:
    old, young, twin = (UUID(int=number) for number in (9, 2, 3))
    later = NOON + timedelta(days=1)
    assert choose_survivor([Joined(young, later), Joined(old, NOON)]) == old
    assert choose_survivor([Joined(twin, NOON), Joined(young, NOON)]) == young


YES, NO = (MarketingAnswer(is_wanted=wanted, was_asked=True) for wanted in (True, False))
NEVER_ASKED = MarketingAnswer(is_wanted=False, was_asked=False)


@pytest.mark.parametrize(
    "one,other,wanted",
    [
        (YES, YES, True),
        (YES, NO, False),
        (NO, YES, False),
        (YES, NEVER_ASKED, True),
        (NEVER_ASKED, NEVER_ASKED, False),
    ],
)
def test_the_stricter_answer_holds(
    one: MarketingAnswer, other: MarketingAnswer, *, wanted: bool
) -> None:
    assert wants_marketing(one, other) is wanted


def test_what_is_above_the_limit_is_told_and_never_negative() -> None:
    assert excess_fen(620_000, balance_fen_max=500_000) == 120_000
    assert excess_fen(1, balance_fen_max=500_000) == 0

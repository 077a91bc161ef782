"""Cells of imported files: what each accepts, and the exact fault of everything else."""

from collections.abc import Callable
from datetime import date

import pytest

from o2o.membership.imports.cells import (
    card_no_cell,
    code_cell,
    date_cell,
    fen_cell,
    name_cell,
    phone_cell,
    plain_cell,
    plain_row,
    whole_cell,
)
from o2o.membership.imports.faults import CellWrong, as_text_cell

TODAY = date(2026, 11, 20)


def fault_of(reading: Callable[[str], object], text: str) -> str:
    with pytest.raises(CellWrong) as caught:
        reading(text)
    return f"{caught.value.code} {caught.value.detail}".strip()


@pytest.mark.parametrize(
    "text, digits",
    [
        ("13800000001", "13800000001"),
        ("+86 138-0000-0001", "13800000001"),
        ("008613800000001", "13800000001"),
        ("8613800000001", "13800000001"),
        ("１３８００００００01", "13800000001"),
        ("", None),
    ],
)
def test_phones(text: str, digits: str | None) -> None:
    assert phone_cell(text) == digits


@pytest.mark.parametrize(
    "text, fault",
    [
        ("1380", "phone_too_short 7"),
        ("138000000012", "phone_too_long 1"),
        ("12800000001", "phone_not_mobile"),
        ("1.38E+10", "phone_scientific"),
        ("1.38e10", "phone_scientific"),
        ("138abc00001", "phone_not_digits"),
        ("²3800000001", "phone_not_mobile"),
    ],
)
def test_phones_refused(text: str, fault: str) -> None:
    assert fault_of(phone_cell, text) == fault


def test_card_numbers() -> None:
    assert card_no_cell("00123456") == "00123456"
    assert card_no_cell("ab 12-34") == "AB1234"
    assert card_no_cell("8E123") == "8E123"
    assert fault_of(card_no_cell, "") == "card_no_missing"
    assert fault_of(card_no_cell, "6.22E+15") == "card_no_scientific"
    assert fault_of(card_no_cell, "6E+15") == "card_no_scientific"
    assert fault_of(card_no_cell, "123") == "card_no_odd"
    assert fault_of(card_no_cell, "=SUM(A1)") == "card_no_odd"
    assert fault_of(card_no_cell, "1" * 33) == "card_no_too_long 32"


def test_codes_are_folded_as_people_misread_them() -> None:
    assert code_cell("o1l0-abcd") == "0110ABCD"
    assert code_cell("") is None
    assert fault_of(code_cell, "abc") == "code_odd"
    assert fault_of(code_cell, "1.2E+07") == "code_scientific"


@pytest.mark.parametrize(
    "text, fen",
    [
        ("", 0),
        ("0", 0),
        ("38", 3_800),
        ("38.5", 3_850),
        ("38.05", 3_805),
        ("38.", 3_800),
        ("38.500", 3_850),
        ("1,234.50", 123_450),
        ("¥38.00", 3_800),
        ("38元", 3_800),
        ("３８．５", 3_850),
        ("000038.50", 3_850),
    ],
)
def test_amounts(text: str, fen: int) -> None:
    assert fen_cell(text) == fen


@pytest.mark.parametrize(
    "text, fault",
    [
        ("38.005", "amount_too_precise"),
        ("-5", "amount_negative"),
        ("−5.00", "amount_negative"),
        ("¥-5", "amount_negative"),
        ("(5.00)", "amount_negative"),
        ("1E+3", "amount_scientific"),
        ("12345678901", "amount_too_large"),
        ("12,34", "amount_not_number"),
        ("abc", "amount_not_number"),
        ("NaN", "amount_not_number"),
        ("Infinity", "amount_not_number"),
        ("=1+1", "amount_not_number"),
    ],
)
def test_amounts_refused(text: str, fault: str) -> None:
    assert fault_of(fen_cell, text) == fault


def test_whole_numbers() -> None:
    assert [whole_cell(text) for text in ("", "7", "7.0", "1,000")] == [0, 7, 7, 1000]
    assert fault_of(whole_cell, "7.5") == "not_whole"
    assert fault_of(whole_cell, "-7") == "amount_negative"


def test_dates() -> None:
    def day(text: str) -> date | None:
        return date_cell(text, today=TODAY)

    for text in ("2024-05-01", "2024/5/1", "2024.05.01", "20240501", "2024年5月1日"):
        assert day(text) == date(2024, 5, 1), text
    assert day("2024-05-01 10:30:00") == date(2024, 5, 1)
    assert day("") is None
    for text in ("2024-02-30", "5/1/2024", "yesterday", "2024-5", "45000"):
        assert fault_of(day, text) == "date_odd", text
    assert fault_of(day, "1800-01-01") == "date_too_old 1980"
    assert fault_of(day, "2026-11-21") == "date_future"


def test_what_surrounds_a_cell_is_taken_off() -> None:
    assert plain_cell("\t0012 ") == "0012"
    assert plain_cell("'0012") == "0012"
    assert plain_cell('="0012"') == "0012"
    assert plain_cell("first\nsecond") == "first second"
    assert fault_of(plain_cell, "a\x00b") == "control_characters"
    assert fault_of(plain_cell, "a\u202eb") == "control_characters"
    assert fault_of(plain_cell, "x" * 257) == "too_long 256"


def test_rows_that_need_a_closer_look_are_told_apart() -> None:
    assert plain_row([" a ", "张三"]) == ["a", "张三"]
    for odd in ("'1", "=1", "a\tb", "a\nb", "a\u200bb", "x" * 300):
        assert plain_row(["1", odd]) is None, odd


def test_formulas_stay_text_and_leave_as_text() -> None:
    for text in ('=HYPERLINK("http://x")', "+cmd", "@SUM(1)", "-1+1", "\t=1"):
        assert name_cell(text) == text
        assert as_text_cell(text) == f"'{text}"
    assert as_text_cell("张三") == "张三"
    assert fault_of(name_cell, "长" * 65) == "name_too_long 64"

"""Template values: every kind within WeChat's limits, amounts and times in their one form."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.web.copy import webviews_dir
from o2o.wechat.errors import PurposeUnknown, TemplateValuesWrong
from o2o.wechat.templates import _FORMS, Value, cut, fill, purposes

AT = datetime(2026, 1, 2, 3, 4, tzinfo=ZoneInfo("Asia/Shanghai"))
DEBIT: dict[str, Value] = {"store": "店", "amount": 1, "balance": 0, "at": AT}


def test_a_debit_is_filled_as_its_template_wants_it() -> None:
    assert fill("stored_value_debited", DEBIT) == {
        "thing1": "店",
        "amount2": "0.01元",
        "amount3": "0.00元",
        "time4": "2026年1月2日 03:04",
    }


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a" * 20, "a" * 20),
        ("静" * 21, "静" * 19 + "…"),
        ("", "-"),
        ("  \n ", "-"),
        ("南京\u202e西路\n1600号", "南京西路 1600号"),
    ],
)
def test_things_are_cut_cleaned_and_never_empty(text: str, expected: str) -> None:
    assert fill("stored_value_debited", {**DEBIT, "store": text})["thing1"] == expected


@given(st.text(max_size=100))
def test_a_thing_always_fits(text: str) -> None:
    shown = fill("stored_value_debited", {**DEBIT, "store": text})["thing1"]
    assert 1 <= len(shown) <= 20


@given(st.integers(0, 99_999_999_99))
def test_amounts_are_exact(amount_fen: int) -> None:
    shown = fill("stored_value_debited", {**DEBIT, "amount": amount_fen})["amount2"]
    yuan, _, cents = shown.removesuffix("元").partition(".")
    assert int(yuan) * 100 + int(cents) == amount_fen
    assert len(cents) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"amount": -1},
        {"amount": 10**12},
        {"amount": "38.00元"},
        {"amount": True},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - a naive time is what is refused
        {"at": "2026-01-01"},
        {"store": 5},
        {"store": AT},
        {"unknown": "x"},
    ],
)
def test_values_of_a_wrong_kind_are_refused(change: dict[str, Value]) -> None:
    with pytest.raises(TemplateValuesWrong):
        fill("stored_value_debited", {**DEBIT, **change})


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(TemplateValuesWrong) as refused:
        fill("stored_value_debited", {"store": "店"})
    assert refused.value.detail["names"] == "amount, at, balance"


def test_an_undeclared_purpose_is_refused() -> None:
    with pytest.raises(PurposeUnknown):
        fill("lottery", {})


@pytest.mark.parametrize(
    "kind, value, expected",
    [
        ("number", 12, "12"),
        ("number", "3.5", "3.5"),
        ("number", "x", None),
        ("number", True, None),
        ("number", AT, None),
        ("number", "1" * 33, None),
        ("letter", "ab-C", "abC"),
        ("letter", "中", None),
        ("character_string", "B019 号", "B019"),
        ("character_string", "x" * 40, "x" * 32),
        ("phone_number", "138 0000 0000x", "138 0000 0000"),
        ("phrase", "已完成了吗好的", "已完成了吗"),
        ("phrase", "ok", None),
        ("name", "林" * 12, "林" * 10),
        ("name", "x" * 30, "x" * 20),
        ("name", "", None),
        ("car_number", "沪A12345", "沪A12345"),
        ("car_number", "沪A1234567", None),
        ("date", AT, "2026年1月2日"),
        ("time", datetime(2026, 1, 2, 23, 59, tzinfo=UTC), "2026年1月2日 23:59"),
    ],
)
def test_every_kind_has_its_form(kind: str, value: Value, expected: str | None) -> None:
    assert _FORMS[kind](value) == expected


def test_every_declared_field_has_a_form() -> None:
    for purpose in purposes().values():
        assert len(purpose.keywords) == len(purpose.fields)
        for field in purpose.fields.values():
            assert field.rstrip("0123456789") in _FORMS


def test_cutting() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    assert cut("a  d", 3) == "a…"


def test_copy_is_where_it_is_expected() -> None:
    assert (webviews_dir() / "copy" / "zh_CN" / "commands.toml").exists()

"""Member codes, card numbers, and what a scanner may read instead of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.membership.rules.member_code import (
    ScanKind,
    ScannedCode,
    check_digits,
    classify_scan,
    is_card_no,
    is_member_code,
    luhn_digit,
    new_card_no,
    new_card_nos,
    new_member_code,
)

CODE = "90" + "1234567890123456" + check_digits("901234567890123456")
bodies = st.text("0123456789", min_size=16, max_size=16)


def code_of(body: str) -> str:
    return f"90{body}{check_digits('90' + body)}"


def test_a_known_code_has_these_check_digits() -> None:
    # 901234567890123456 * 100 leaves 46 when divided by 97; 98 - 46 = 52.
    assert 901234567890123456 * 100 % 97 == 46
    assert CODE == "90123456789012345652"
    assert is_member_code(CODE)


def test_new_codes_are_well_formed_and_differ() -> None:
    codes = {new_member_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(len(code) == 20 and is_member_code(code) for code in codes)


@given(bodies, st.integers(0, 19), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(body: str, place: int, shift: int) -> None:
    code = code_of(body)
    wrong = code[:place] + str((int(code[place]) + shift) % 10) + code[place + 1 :]
    assert not is_member_code(wrong)
    assert classify_scan(wrong).kind is ScanKind.MISREAD


@given(bodies, st.integers(0, 18))
def test_two_neighbours_swapped_are_always_noticed(body: str, place: int) -> None:
    code = code_of(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not is_member_code(swapped)


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"{CODE}\n",
        f"{CODE}\r\n",
        f"  {CODE}\t",
        "9012 3456 7890 1234 5652",
        "9012-3456-7890-1234-5652",
        "９０１２３４５６７８９０１２３４５６５２",
        "9012\u30003456\u200b7890\ufeff12345652",
    ],
)
def test_a_member_code_is_read_however_it_was_typed(text: str) -> None:
    assert classify_scan(text) == ScannedCode(ScanKind.MEMBER_CODE, CODE)


@pytest.mark.parametrize("prefix", ["10", "11", "12", "13", "14", "15"])
def test_wechat_pay_codes_are_known(prefix: str) -> None:
    assert classify_scan(prefix + "0123456789012345").kind is ScanKind.WECHAT_PAY


@pytest.mark.parametrize("prefix", ["25", "26", "27", "28", "29", "30"])
@pytest.mark.parametrize("length", [16, 17, 18, 19, 21, 22, 23, 24])
def test_alipay_codes_are_known(prefix: str, length: int) -> None:
    digits = prefix + "7" * (length - 2)
    if is_card_no(digits):
        digits = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    assert classify_scan(digits).kind is ScanKind.ALIPAY


@pytest.mark.parametrize(
    "text, kind",
    [
        ("16" + "0" * 16, ScanKind.UNREADABLE),  # Eighteen digits, but nobody's.
        ("24" + "0" * 15, ScanKind.UNREADABLE),
        (CODE[:-1], ScanKind.MISREAD),
        (CODE + "7", ScanKind.MISREAD),
        ("9" * 16, ScanKind.MISREAD),
        ("", ScanKind.UNREADABLE),
        (" \n", ScanKind.UNREADABLE),
        ("12345", ScanKind.UNREADABLE),
        ("hello", ScanKind.UNREADABLE),
        ("٩٠" + CODE[2:], ScanKind.UNREADABLE),  # Digits of another script are no digits here.
        ("\x00\x01\x02", ScanKind.UNREADABLE),
        ("9" * 4096, ScanKind.UNREADABLE),
        (CODE + " " * 4096, ScanKind.UNREADABLE),
        ("https://elsewhere.example/pay?code=" + CODE, ScanKind.UNREADABLE),
        ("http://127.0.0.1:8000.evil.example/h5", ScanKind.UNREADABLE),
        ("http://127.0.0.1:8000/h5/acct/card", ScanKind.OUR_PAGE),
        ("http://127.0.0.1:8000", ScanKind.OUR_PAGE),
        ("javascript:alert(1)", ScanKind.UNREADABLE),
    ],
)
def test_everything_else_is_named_for_what_it_is(text: str, kind: ScanKind) -> None:
    assert classify_scan(text, public_url="http://127.0.0.1:8000").kind is kind


@given(st.text(max_size=300))
def test_any_text_is_classified_without_failing(text: str) -> None:
    assert classify_scan(text).kind in ScanKind


def test_luhn_as_in_the_standard() -> None:
    assert luhn_digit("7992739871") == "3"
    assert is_card_no("4111111111111111")
    assert not is_card_no("4111111111111112")


@pytest.mark.parametrize("prefix", ["", "6660", "980116", "123456789"])
def test_card_numbers_begin_with_the_prefix_and_check(prefix: str) -> None:
    for _ in range(50):
        number = new_card_no(prefix)
        assert len(number) == 16
        assert number.startswith(prefix)
        assert is_card_no(number)


def test_a_card_number_identifies_as_such() -> None:
    number = new_card_no("980116")
    assert classify_scan(number) == ScannedCode(ScanKind.CARD_NO, number)


def test_shares_of_the_card_numbers_have_none_in_common() -> None:
    shares = [set(new_card_nos("6660123456789", 2_000, share=share, of=2)) for share in (0, 1)]

    # Two digits are free, the sixteenth checks: of a hundred numbers each has its fifty.
    assert [len(share) for share in shares] == [50, 50]
    assert not shares[0] & shares[1]
    assert all(is_card_no(number) for number in shares[0] | shares[1])

"""Money: what a clerk may type, how it is written, and splits that never lose a fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.kernel.money import format_yuan, parse_yuan, split_by_weight


@pytest.mark.parametrize(
    "text,fen", [("38", 3800), ("38.5", 3850), ("0.01", 1), (" 12.30 ", 1230), ("0", 0)]
)
def test_amounts_are_read_as_fen(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1.234",
        "1,000",
        "1e3",
        "٣",
        "１２",
        "1.",
        ".5",
        "007",
        "999999999",
        "1 2",
        "NaN",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_yuan(text)


@given(st.integers(min_value=0, max_value=99_999_999_99))
def test_what_is_written_can_be_read(fen: int) -> None:
    assert parse_yuan(format_yuan(fen).replace(",", "")) == fen


@given(
    st.integers(min_value=0, max_value=10**9),
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=20).filter(any),
)
def test_a_split_sums_exactly_and_is_off_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = split_by_weight(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(p * whole - total * w) < whole for p, w in zip(parts, weights, strict=True))
    assert all(p == 0 for p, w in zip(parts, weights, strict=True) if w == 0)


def test_something_to_split_needs_a_weight() -> None:
    with pytest.raises(ValueError, match="weights"):
        split_by_weight(1, [0, 0])
    assert split_by_weight(0, [0, 0]) == [0, 0]

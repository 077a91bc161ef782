"""How much a card may hold and which amounts pass: both sides of every boundary."""

import pytest

from o2o.ledger.errors import AmountOutOfRange, BalanceLimitExceeded
from o2o.ledger.rules.limits import check_amount, check_room, prepaid_limit_fen


def test_a_named_card_holds_five_thousand_yuan_and_an_unnamed_one_a_thousand() -> None:
    assert prepaid_limit_fen(is_named=True) == 500_000
    assert prepaid_limit_fen(is_named=False) == 100_000


@pytest.mark.parametrize("amount", [1, 2, 1_000_000_000])
def test_amounts_within_the_range_pass(amount: int) -> None:
    check_amount(amount, field="amount_fen")


@pytest.mark.parametrize("amount", [0, -1, -(2**63), 1_000_000_001, 2**31, 2**63])
def test_amounts_beyond_the_range_are_refused(amount: int) -> None:
    with pytest.raises(AmountOutOfRange) as refusal:
        check_amount(amount, field="amount_fen")
    assert refusal.value.field == "amount_fen"
    assert refusal.value.status == 422
    assert refusal.value.detail == {"amount_min": 1, "amount_max": 1_000_000_000}


def test_a_range_may_begin_at_zero_and_end_where_it_is_told() -> None:
    check_amount(0, field="bonus_fen", amount_min=0)
    check_amount(5, field="points", amount_max=5)
    with pytest.raises(AmountOutOfRange):
        check_amount(-1, field="bonus_fen", amount_min=0)
    with pytest.raises(AmountOutOfRange):
        check_amount(6, field="points", amount_max=5)


def test_a_card_may_be_filled_to_its_limit_and_not_a_fen_further() -> None:
    check_room(balance_fen=60_000, added_fen=40_000, limit_fen=100_000)
    with pytest.raises(BalanceLimitExceeded) as refusal:
        check_room(balance_fen=60_000, added_fen=40_001, limit_fen=100_000)
    assert refusal.value.status == 422
    assert refusal.value.detail == {
        "limit_fen": 100_000,
        "balance_fen": 60_000,
        "limit_yuan": "1,000.00",
        "balance_yuan": "600.00",
    }

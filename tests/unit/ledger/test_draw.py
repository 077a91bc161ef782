"""Drawing from lots: exact sums, shares in proportion, oldest first, never more than there is."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2o.crm.statuses import LotKind
from o2o.kernel.ids import LotId, new_id
from o2o.ledger.rules.draw import Draw, DrawOrder, Lot, draw, drawn_of, lots_after

P, B = LotKind.PRINCIPAL, LotKind.BONUS


def lots_of(*held: tuple[LotKind, int]) -> list[Lot]:
    return [Lot(id=LotId(new_id()), kind=kind, remaining=amount) for kind, amount in held]


def amounts(lots: list[Lot], draws: list[Draw]) -> list[int]:
    """What each lot gave, in the order of the lots."""
    taken = {one.lot_id: one.amount for one in draws}
    assert len(taken) == len(draws)
    return [taken.get(lot.id, 0) for lot in lots]


@pytest.mark.parametrize(
    "order,amount,given_by_each",
    [
        # 12,000 principal and 3,000 bonus are there: four to one.
        (DrawOrder.PROPORTIONAL, 10_000, [8_000, 2_000, 0, 0]),
        (DrawOrder.PROPORTIONAL, 12_500, [10_000, 2_000, 0, 500]),
        (DrawOrder.PROPORTIONAL, 15_000, [10_000, 2_000, 2_000, 1_000]),
        # 0.8 fen and 0.2 fen: the fen goes to the larger remainder.
        (DrawOrder.PROPORTIONAL, 1, [1, 0, 0, 0]),
        (DrawOrder.PROPORTIONAL, 2, [2, 0, 0, 0]),
        (DrawOrder.PROPORTIONAL, 3, [2, 1, 0, 0]),
        (DrawOrder.PRINCIPAL_FIRST, 11_000, [10_000, 0, 1_000, 0]),
        (DrawOrder.PRINCIPAL_FIRST, 12_001, [10_000, 1, 2_000, 0]),
        (DrawOrder.OLDEST_FIRST, 12_001, [10_000, 2_000, 1, 0]),
    ],
)
def test_each_order_draws_as_named(order: DrawOrder, amount: int, given_by_each: list[int]) -> None:
    lots = lots_of((P, 10_000), (B, 2_000), (P, 2_000), (B, 1_000))

    assert amounts(lots, draw(lots, amount, order=order)) == given_by_each


def test_a_tie_goes_to_the_principal() -> None:
    lots = lots_of((B, 5), (P, 5))

    draws = draw(lots, 1, order=DrawOrder.PROPORTIONAL)

    assert (drawn_of(draws, P), drawn_of(draws, B)) == (1, 0)


@pytest.mark.parametrize("order", DrawOrder)
@pytest.mark.parametrize("amount", [-1, 0, 101])
def test_less_than_one_fen_and_more_than_there_is_are_refused(
    order: DrawOrder, amount: int
) -> None:
    with pytest.raises(ValueError, match="do not hold"):
        draw(lots_of((P, 60), (B, 40)), amount, order=order)


def test_lots_expire_at_their_end_and_not_before() -> None:
    end = datetime(2027, 1, 1, tzinfo=UTC)
    lot = Lot(id=LotId(new_id()), kind=LotKind.POINTS, remaining=1, expires_at=end)

    assert lot.is_spendable(at=end - timedelta(microseconds=1))
    assert not lot.is_spendable(at=end)
    assert Lot(id=lot.id, kind=lot.kind, remaining=1).is_spendable(at=end)


fen = st.integers(min_value=1, max_value=10**9)
some_lots = st.lists(st.tuples(st.sampled_from([P, B]), fen), min_size=1, max_size=8)
orders = st.sampled_from(list(DrawOrder))


@given(some_lots, orders, st.data())
def test_draws_sum_exactly_and_stay_within_each_lot(
    held: list[tuple[LotKind, int]], order: DrawOrder, data: st.DataObject
) -> None:
    lots = lots_of(*held)
    total = sum(lot.remaining for lot in lots)
    amount = data.draw(st.integers(1, total))

    draws = draw(lots, amount, order=order)

    given_by_each = amounts(lots, draws)
    assert sum(given_by_each) == amount
    assert all(one.amount > 0 for one in draws)
    assert all(taken <= lot.remaining for taken, lot in zip(given_by_each, lots, strict=True))
    left = lots_after(lots, draws)
    assert sum(lot.remaining for lot in left) == total - amount
    assert all(lot.remaining > 0 for lot in left)
    assert [lot.id for lot in left] == [
        lot.id for lot, taken in zip(lots, given_by_each, strict=True) if taken < lot.remaining
    ]


@given(some_lots, orders, st.data())
def test_inside_a_kind_a_lot_is_touched_only_when_the_older_are_empty(
    held: list[tuple[LotKind, int]], order: DrawOrder, data: st.DataObject
) -> None:
    lots = lots_of(*held)
    amount = data.draw(st.integers(1, sum(lot.remaining for lot in lots)))
    given_by_each = amounts(lots, draw(lots, amount, order=order))

    for kind in (P, B):
        of_kind = [
            (taken, lot.remaining)
            for taken, lot in zip(given_by_each, lots, strict=True)
            if lot.kind is kind
        ]
        for (older, held_by_older), (younger, _) in itertools.pairwise(of_kind):
            assert younger == 0 or older == held_by_older


@given(fen, fen, st.data())
def test_the_share_of_principal_is_within_one_fen_of_the_exact_one(
    principal: int, bonus: int, data: st.DataObject
) -> None:
    lots = lots_of((P, principal), (B, bonus))
    amount = data.draw(st.integers(1, principal + bonus))

    draws = draw(lots, amount, order=DrawOrder.PROPORTIONAL)

    whole = principal + bonus
    # Half a fen at most: |drawn · whole − amount · principal| ≤ whole / 2, kept in integers.
    assert 2 * abs(drawn_of(draws, P) * whole - amount * principal) <= whole


@given(fen, fen, st.data())
def test_principal_first_leaves_the_bonus_alone_while_it_can(
    principal: int, bonus: int, data: st.DataObject
) -> None:
    lots = lots_of((B, bonus), (P, principal))
    amount = data.draw(st.integers(1, principal + bonus))

    draws = draw(lots, amount, order=DrawOrder.PRINCIPAL_FIRST)

    assert drawn_of(draws, P) == min(amount, principal)
    assert drawn_of(draws, B) == max(0, amount - principal)


@given(st.integers(1, 100_000), st.integers(0, 50_000), st.lists(fen, max_size=30))
def test_many_debits_in_a_row_end_at_zero_of_both(
    principal: int, bonus: int, wishes: list[int]
) -> None:
    lots = lots_of((P, principal), *([(B, bonus)] if bonus else []))
    spent = 0
    for wish in wishes:
        left = sum(lot.remaining for lot in lots)
        if left:
            amount = wish % left + 1
            lots = lots_after(lots, draw(lots, amount, order=DrawOrder.PROPORTIONAL))
            spent += amount
    left = sum(lot.remaining for lot in lots)
    assert left == principal + bonus - spent
    if left:
        assert lots_after(lots, draw(lots, left, order=DrawOrder.PROPORTIONAL)) == []

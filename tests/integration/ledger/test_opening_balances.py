"""Opening balances: accounts, transfers, lots and entries of many at once, all of them or none."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.infra.database import Tx, violated_constraint
from o2o.kernel.ids import MemberId, StoreId, new_id
from o2o.ledger.actions.enter_opening_balances import OpeningBalance, enter_opening_balances
from o2o.ledger.errors import AccountNotFound, AmountOutOfRange
from o2o.ledger.rules.limits import POINTS_MAX
from tests.factories.ledger import Books, everything, given_books, rows
from tests.factories.movements import HOLD_ENDS, LATER, opening


async def enter(tx: Tx, books: Books, *openings: OpeningBalance) -> None:
    await enter_opening_balances(
        tx,
        openings,
        brand_id=books.brand_id,
        staff_id=None,
        points_expire_at=HOLD_ENDS,
        now=LATER,
    )


async def refused(tx: Tx, books: Books, *openings: OpeningBalance) -> BaseException:
    """Why these were refused, which left nothing behind."""
    before = await everything(tx)
    with pytest.raises((IntegrityError, AmountOutOfRange, AccountNotFound)) as refusal:
        async with tx.begin_nested():
            await enter(tx, books, *openings)
    assert await everything(tx) == before
    return refusal.value


async def test_all_that_a_card_held_is_entered_with_its_origin(tx: Tx) -> None:
    books = await given_books(tx)
    one = opening(books, principal_fen=900, bonus_fen=90, points=9)
    await enter(tx, books, one, opening(books, points=4), opening(books))

    assert await rows(
        tx,
        "SELECT t.part, t.kind, t.amount, e.amount, e.balance_after, l.kind, l.remaining,"
        " l.expires_at FROM ledger_transfers t"
        " JOIN ledger_entries e ON e.transfer_id = t.id AND e.amount > 0"
        " JOIN ledger_lots l ON l.origin_transfer_id = t.id AND l.account_id = e.account_id"
        f" WHERE t.request_id = '{one.request_id}' ORDER BY t.part",
    ) == [
        (0, "opening_principal", 900, 900, 900, "principal", 900, None),
        (1, "opening_bonus", 90, 90, 990, "bonus", 90, None),
        (2, "opening_points", 9, 9, 9, "points", 9, HOLD_ENDS),
    ]
    assert await rows(
        tx,
        "SELECT kind, balance FROM ledger_accounts"
        f" WHERE owner_id = '{one.member_id}' ORDER BY kind",
    ) == [("member_points", 9), ("member_stored_value", 990)]
    assert await rows(tx, "SELECT count(*) FROM ledger_transfers") == [(4,)]
    assert await rows(tx, "SELECT sum(amount) FROM ledger_entries") == [(0,)]


@pytest.mark.parametrize("principal_fen", [0, 900])
@pytest.mark.parametrize("bonus_fen", [0, 90])
@pytest.mark.parametrize("points", [0, 9])
async def test_parts_are_numbered_without_gaps(
    tx: Tx, principal_fen: int, bonus_fen: int, points: int
) -> None:
    books = await given_books(tx)
    held = {"principal": principal_fen, "bonus": bonus_fen, "points": points}
    one = opening(books, principal_fen=principal_fen, bonus_fen=bonus_fen, points=points)
    await enter(tx, books, one)

    kept = [(f"opening_{kind}", amount) for kind, amount in held.items() if amount]
    assert await rows(tx, "SELECT part, kind, amount FROM ledger_transfers ORDER BY part") == [
        (part, kind, amount) for part, (kind, amount) in enumerate(kept)
    ]


async def test_a_request_entered_before_is_refused_with_all_others(tx: Tx) -> None:
    books = await given_books(tx)
    one = opening(books, principal_fen=5)
    await enter(tx, books, one)

    refusal = await refused(
        tx, books, opening(books, points=1), one._replace(member_id=MemberId(new_id()))
    )

    assert isinstance(refusal, IntegrityError)
    assert violated_constraint(refusal) == "uq_ledger_transfers_request_id_part"


async def test_who_has_accounts_has_them_opened_no_second_time(tx: Tx) -> None:
    books = await given_books(tx)

    refusal = await refused(tx, books, opening(books, member_id=books.member_id, points=1))

    assert isinstance(refusal, IntegrityError)
    assert violated_constraint(refusal) == "uq_ledger_accounts_owner_id_kind"


@pytest.mark.parametrize(
    "amounts",
    [{"principal_fen": -1}, {"bonus_fen": -1}, {"points": -1}, {"points": POINTS_MAX + 1}],
    ids=str,
)
async def test_amounts_out_of_range_are_refused(tx: Tx, amounts: dict[str, Any]) -> None:
    books = await given_books(tx)

    refusal = await refused(tx, books, opening(books, points=1), opening(books, **amounts))

    assert isinstance(refusal, AmountOutOfRange)


async def test_a_store_without_accounts_takes_none_in(tx: Tx) -> None:
    books = await given_books(tx)

    refusal = await refused(tx, books, opening(books, points=1, store_id=StoreId(new_id())))

    assert isinstance(refusal, AccountNotFound)


async def test_an_entered_statement_stands_or_falls_with_its_guard(tx: Tx) -> None:
    books = await given_books(tx)
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await tx.execute(
        text(
            "ALTER TABLE ledger_entries ADD CONSTRAINT nothing_for_tests CHECK (amount < 50)"
            " NOT VALID"
        )
    )

    refusal = await refused(tx, books, opening(books, points=4), opening(books, principal_fen=70))

    assert isinstance(refusal, IntegrityError)

"""Debits of stored value against PostgreSQL: exact rows, one effect per request, refusals."""

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from o2o.infra.database import SessionFactory, Tx, transaction, violated_constraint
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import MemberId, StoreId, VisitId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import Transferred, debit_stored_value
from o2o.ledger.errors import AccountNotFound, AmountOutOfRange, InsufficientBalance
from o2o.ledger.queries import Wallet, get_wallet
from o2o.ledger.rules.draw import DrawOrder
from tests.factories.ledger import (
    debit,
    everything,
    given_books,
    given_committed_books,
    given_top_up,
    rows,
)
from tests.fakes.statements import heard_statements


async def debited(tx: Tx, command: Any) -> Transferred:
    [result] = await debit_stored_value(tx, [command])
    assert isinstance(result, Transferred), result
    return result


async def test_a_debit_writes_two_entries_its_draws_and_one_event(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=50_000, bonus_fen=6_000)
    command = debit(books, 8_800, reason="晚餐")

    result = await debited(tx, command)

    # 8,800 · 50,000 / 56,000 = 7,857.14…: the larger remainder is the bonus's, 942.86.
    assert result == Transferred(
        transfer_id=result.transfer_id,
        amount_fen=8_800,
        principal_fen=7_857,
        bonus_fen=943,
        balance_fen=47_200,
        is_replay=False,
    )
    assert await get_wallet(tx, books.member_id) == Wallet(
        balance_fen=47_200, principal_fen=42_143, bonus_fen=5_057, points=0
    )
    assert await rows(
        tx,
        "SELECT a.owner_id, a.kind, e.amount, e.balance_after FROM ledger_entries e"
        " JOIN ledger_accounts a ON a.id = e.account_id WHERE transfer_id = :id ORDER BY seq",
        id=result.transfer_id,
    ) == [
        (books.member_id, "member_stored_value", -8_800, 47_200),
        (books.store_id, "store_sales", 8_800, None),
    ]
    assert await rows(
        tx,
        "SELECT l.kind, d.amount, l.granted, l.remaining FROM ledger_lot_draws d"
        " JOIN ledger_lots l ON l.id = d.lot_id WHERE transfer_id = :id ORDER BY l.kind",
        id=result.transfer_id,
    ) == [("bonus", 943, 6_000, 5_057), ("principal", 7_857, 50_000, 42_143)]
    assert await rows(
        tx,
        "SELECT t.kind, t.asset, t.amount, t.store_id, t.tender, n.reason, t.part, t.request_id"
        " FROM ledger_transfers t JOIN ledger_reasons n ON n.transfer_id = t.id WHERE t.id = :id",
        id=result.transfer_id,
    ) == [("debit", "cny_fen", 8_800, books.store_id, None, "晚餐", 0, command.request_id)]
    assert await rows(
        tx, "SELECT payload FROM outbox_messages WHERE topic = 'stored_value.debited'"
    ) == [
        (
            {
                "transfer_id": str(result.transfer_id),
                "member_id": str(books.member_id),
                "brand_id": str(books.brand_id),
                "store_id": str(books.store_id),
                "amount_fen": 8_800,
                "principal_fen": 7_857,
                "bonus_fen": 943,
                "balance_fen": 47_200,
                "at": "2026-11-20T04:05:00Z",
            },
        )
    ]


async def test_the_same_request_again_answers_the_first_result_and_moves_nothing(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=10_000, bonus_fen=1_000)
    command = debit(books, 3_000)
    first = await debited(tx, command)
    await debited(tx, debit(books, 500))
    before = await everything(tx)

    again = await debited(tx, command)

    assert again == Transferred(
        transfer_id=first.transfer_id,
        amount_fen=3_000,
        principal_fen=2_727,
        bonus_fen=273,
        balance_fen=8_000,
        is_replay=True,
    )
    assert await everything(tx) == before


@pytest.mark.parametrize(
    "change",
    [{"amount_fen": 3_001}, {"reason": "other"}, {"store_id": "other"}, {"member_id": "other"}],
    ids=["amount", "reason", "store", "member"],
)
async def test_the_same_request_for_something_else_is_refused(
    tx: Tx, change: dict[str, Any]
) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=10_000)
    others = {"store_id": books.other_store_id, "member_id": books.other_member_id}
    request_id = new_request_id()
    await debited(tx, debit(books, 3_000, request_id=request_id))
    before = await everything(tx)
    fields = {key: others.get(key, value) for key, value in change.items()}

    [result] = await debit_stored_value(
        tx, [debit(books, fields.pop("amount_fen", 3_000), request_id=request_id, **fields)]
    )

    assert isinstance(result, RequestBodyDiffers)
    assert await everything(tx) == before


async def test_more_than_the_card_holds_is_refused(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=900, bonus_fen=99)
    before = await everything(tx)

    [result] = await debit_stored_value(tx, [debit(books, 1_000)])

    assert isinstance(result, InsufficientBalance)
    assert result.detail == {"balance_fen": 999, "balance_yuan": "9.99"}
    assert await everything(tx) == before


async def test_the_last_fen_can_be_spent(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=900, bonus_fen=99)

    assert (await debited(tx, debit(books, 999))).balance_fen == 0
    assert await rows(tx, "SELECT DISTINCT remaining FROM ledger_lots") == [(0,)]


@pytest.mark.parametrize("amount_fen", [0, -1, 1_000_000_001, 2**63])
async def test_amounts_no_counter_takes_are_refused(tx: Tx, amount_fen: int) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=10_000)
    before = await everything(tx)

    [result] = await debit_stored_value(tx, [debit(books, amount_fen)])

    assert isinstance(result, AmountOutOfRange)
    assert result.field == "amount_fen"
    assert await everything(tx) == before


async def test_unknown_members_and_stores_of_others_are_not_found(tx: Tx) -> None:
    books, elsewhere = await given_books(tx), await given_books(tx)
    await given_top_up(tx, books, principal_fen=10_000)
    before = await everything(tx)

    results = await debit_stored_value(
        tx,
        [
            debit(books, member_id=MemberId(new_id())),
            debit(books, store_id=StoreId(new_id())),
            debit(books, store_id=elsewhere.store_id),
        ],
    )

    assert [(type(result), getattr(result, "field", None)) for result in results] == [
        (AccountNotFound, "member_id"),
        (AccountNotFound, "store_id"),
        (AccountNotFound, "store_id"),
    ]
    assert await everything(tx) == before


async def test_a_batch_is_decided_in_order_and_refusals_leave_neighbours_alone(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=1_000)
    twice = debit(books, 400)
    other_body = debit(books, 1, request_id=twice.request_id)

    results = await debit_stored_value(
        tx, [twice, debit(books, 700), twice, other_body, debit(books, 600), debit(books, 1)]
    )

    balances = [getattr(result, "balance_fen", type(result)) for result in results]
    assert balances == [600, InsufficientBalance, 600, RequestBodyDiffers, 0, InsufficientBalance]
    assert [getattr(result, "is_replay", None) for result in results] == [
        False,
        None,
        True,
        None,
        False,
        None,
    ]
    assert await rows(
        tx,
        "SELECT amount, balance_after FROM ledger_entries WHERE balance_after IS NOT NULL"
        " AND amount < 0 ORDER BY seq",
    ) == [(-400, 600), (-600, 0)]
    assert await rows(
        tx, "SELECT count(*) FROM outbox_messages WHERE topic = 'stored_value.debited'"
    ) == [(2,)]


@pytest.mark.parametrize("reason,kept", [("a\x00b\u202e ", "ab"), (" ", None), ("", None)])
async def test_what_cannot_be_seen_does_not_enter_the_books(
    tx: Tx, reason: str, kept: str | None
) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=1_000)
    command = debit(books, 100, reason=reason)

    first, again = await debited(tx, command), await debited(tx, command)

    assert again.is_replay
    assert await rows(
        tx,
        "SELECT n.reason FROM ledger_transfers t"
        " LEFT JOIN ledger_reasons n ON n.transfer_id = t.id WHERE t.id = :id",
        id=first.transfer_id,
    ) == [(kept,)]


async def test_a_visit_that_does_not_exist_stops_the_transaction(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions, principal_fen=1_000)

    with pytest.raises(IntegrityError) as refusal:
        async with transaction(sessions) as tx:
            await debit_stored_value(tx, [debit(books, 100, visit_id=VisitId(new_id()))])

    assert violated_constraint(refusal.value) == "fk_ledger_transfers_visit_id_counter_visits"
    async with sessions() as tx:
        assert (await get_wallet(tx, books.member_id)).balance_fen == 1_000


async def test_an_order_may_be_named(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=1_000, bonus_fen=1_000)

    [result] = await debit_stored_value(tx, [debit(books, 1_200)], order=DrawOrder.PRINCIPAL_FIRST)

    assert isinstance(result, Transferred)
    assert (result.principal_fen, result.bonus_fen) == (1_000, 200)


async def test_a_batch_of_any_size_takes_at_most_seven_statements(
    sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = await given_committed_books(sessions, principal_fen=40_000, bonus_fen=4_000)
    statements = heard_statements(sessions, monkeypatch)
    async with transaction(sessions) as tx:
        await debit_stored_value(tx, [debit(books, 100) for _ in range(100)])

    assert len(statements) == 7

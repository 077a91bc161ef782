"""Top-ups against PostgreSQL: principal and bonus as transfers and lots of their own, limits."""

from typing import Any

import pytest

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import MemberId, StoreId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.top_up_stored_value import (
    Transferred,
    prepaid_limit_fen,
    top_up_stored_value,
)
from o2o.ledger.errors import AccountNotFound, AmountOutOfRange, BalanceLimitExceeded
from o2o.ledger.queries import Wallet, find_transfers_of_request, get_wallet
from tests.factories.ledger import (
    debit,
    everything,
    given_books,
    given_committed_books,
    given_top_up,
    rows,
    top_up,
)
from tests.fakes.statements import heard_statements


async def test_a_top_up_is_two_transfers_two_lots_and_one_event(tx: Tx) -> None:
    books = await given_books(tx)
    command = top_up(books, principal_fen=50_000, bonus_fen=6_000, tender=Tender.BANK_CARD)

    [result] = await top_up_stored_value(tx, [command])

    assert isinstance(result, Transferred)
    assert result == Transferred(
        transfer_id=result.transfer_id,
        amount_fen=56_000,
        principal_fen=50_000,
        bonus_fen=6_000,
        balance_fen=56_000,
        is_replay=False,
    )
    assert await rows(
        tx,
        "SELECT t.part, t.kind, t.tender, t.amount, a.kind, a.owner_id, e.amount, e.balance_after"
        " FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id"
        " JOIN ledger_accounts a ON a.id = e.account_id ORDER BY e.seq",
    ) == [
        (0, "top_up", "bank_card", 50_000, "store_takings", books.store_id, -50_000, None),
        (0, "top_up", "bank_card", 50_000, "member_stored_value", books.member_id, 50_000, 50_000),
        (1, "top_up_bonus", None, 6_000, "store_bonus", books.store_id, -6_000, None),
        (1, "top_up_bonus", None, 6_000, "member_stored_value", books.member_id, 6_000, 56_000),
    ]
    assert await rows(
        tx,
        "SELECT l.kind, l.granted, l.remaining, l.granted_at, l.expires_at, t.part"
        " FROM ledger_lots l JOIN ledger_transfers t ON t.id = l.origin_transfer_id ORDER BY part",
    ) == [
        ("principal", 50_000, 50_000, command.now, None, 0),
        ("bonus", 6_000, 6_000, command.now, None, 1),
    ]
    parts = await find_transfers_of_request(tx, command.request_id)
    assert parts[0].id == result.transfer_id
    assert await rows(tx, "SELECT topic, payload FROM outbox_messages") == [
        (
            "stored_value.topped_up",
            {
                "transfer_id": str(result.transfer_id),
                "member_id": str(books.member_id),
                "brand_id": str(books.brand_id),
                "store_id": str(books.store_id),
                "amount_fen": 56_000,
                "principal_fen": 50_000,
                "bonus_fen": 6_000,
                "balance_fen": 56_000,
                "at": "2026-11-20T04:00:00Z",
            },
        )
    ]


async def test_a_top_up_without_bonus_is_one_transfer(tx: Tx) -> None:
    books = await given_books(tx)

    [result] = await top_up_stored_value(tx, [top_up(books, principal_fen=300)])

    assert isinstance(result, Transferred)
    assert (result.principal_fen, result.bonus_fen, result.balance_fen) == (300, 0, 300)
    assert await rows(tx, "SELECT kind, part FROM ledger_transfers") == [("top_up", 0)]
    assert await get_wallet(tx, books.member_id) == Wallet(
        balance_fen=300, principal_fen=300, bonus_fen=0, points=0
    )


@pytest.mark.parametrize("bonus_fen", [0, 700])
async def test_the_same_request_again_answers_the_first_result(tx: Tx, bonus_fen: int) -> None:
    books = await given_books(tx)
    command = top_up(books, principal_fen=5_000, bonus_fen=bonus_fen)
    [first] = await top_up_stored_value(tx, [command])
    await given_top_up(tx, books, principal_fen=1)
    await debit_stored_value(tx, [debit(books, 2)])
    before = await everything(tx)

    # Another limit is not another intention: it is the house's, not the client's.
    [again] = await top_up_stored_value(
        tx, [top_up(books, **{**fields(command), "balance_fen_max": 1})]
    )

    assert isinstance(first, Transferred)
    assert again == Transferred(**{**fields(first), "is_replay": True})
    assert await everything(tx) == before


def fields(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


@pytest.mark.parametrize(
    "change",
    [
        {"principal_fen": 5_001},
        {"bonus_fen": 1},
        {"tender": Tender.TRANSFER},
        {"reason": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_the_same_request_for_something_else_is_refused(
    tx: Tx, change: dict[str, Any]
) -> None:
    books = await given_books(tx)
    command = top_up(books, principal_fen=5_000)
    await top_up_stored_value(tx, [command])
    before = await everything(tx)

    [result] = await top_up_stored_value(tx, [top_up(books, **{**fields(command), **change})])

    assert isinstance(result, RequestBodyDiffers)
    assert await everything(tx) == before


async def test_a_request_of_a_debit_is_not_one_of_a_top_up(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=5_000)
    request_id = new_request_id()
    await debit_stored_value(tx, [debit(books, 10, request_id=request_id)])
    before = await everything(tx)

    [result] = await top_up_stored_value(
        tx, [top_up(books, principal_fen=10, request_id=request_id)]
    )

    assert isinstance(result, RequestBodyDiffers)
    assert await everything(tx) == before


async def test_a_card_is_filled_to_its_limit_and_not_a_fen_further(tx: Tx) -> None:
    books = await given_books(tx)
    limit = prepaid_limit_fen(is_named=False)
    await given_top_up(tx, books, principal_fen=60_000)

    results = await top_up_stored_value(
        tx,
        [
            top_up(books, principal_fen=39_000, bonus_fen=1_001, balance_fen_max=limit),
            top_up(books, principal_fen=39_000, bonus_fen=1_000, balance_fen_max=limit),
            top_up(books, principal_fen=1, balance_fen_max=limit),
        ],
    )

    assert [type(result) for result in results] == [
        BalanceLimitExceeded,
        Transferred,
        BalanceLimitExceeded,
    ]
    assert isinstance(results[0], BalanceLimitExceeded)
    assert results[0].detail["limit_fen"] == 100_000
    assert results[0].detail["balance_fen"] == 60_000
    assert (await get_wallet(tx, books.member_id)).balance_fen == 100_000
    assert await rows(tx, "SELECT count(*) FROM ledger_transfers") == [(3,)]


@pytest.mark.parametrize(
    "change,field",
    [
        ({"principal_fen": 0}, "principal_fen"),
        ({"principal_fen": -1}, "principal_fen"),
        ({"principal_fen": 2**63}, "principal_fen"),
        ({"bonus_fen": -1}, "bonus_fen"),
        ({"bonus_fen": 2**63}, "bonus_fen"),
    ],
)
async def test_amounts_no_counter_takes_are_refused(
    tx: Tx, change: dict[str, int], field: str
) -> None:
    books = await given_books(tx)
    before = await everything(tx)

    [result] = await top_up_stored_value(tx, [top_up(books, balance_fen_max=2**62, **change)])

    assert isinstance(result, AmountOutOfRange)
    assert result.field == field
    assert await everything(tx) == before


async def test_unknown_members_and_stores_of_others_are_not_found(tx: Tx) -> None:
    books, elsewhere = await given_books(tx), await given_books(tx)
    before = await everything(tx)

    results = await top_up_stored_value(
        tx,
        [
            top_up(books, member_id=MemberId(new_id())),
            top_up(books, store_id=StoreId(new_id())),
            top_up(books, store_id=elsewhere.store_id),
        ],
    )

    assert [type(result) for result in results] == [AccountNotFound] * 3
    assert await everything(tx) == before


async def test_a_batch_of_any_size_takes_at_most_six_statements(
    sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = await given_committed_books(sessions)
    statements = heard_statements(sessions, monkeypatch)
    async with transaction(sessions) as tx:
        await top_up_stored_value(
            tx, [top_up(books, principal_fen=100, bonus_fen=1) for _ in range(100)]
        )

    assert len(statements) == 6


async def test_no_command_at_all_is_fine(tx: Tx) -> None:
    before = await everything(tx)

    assert await top_up_stored_value(tx, []) == []
    assert await debit_stored_value(tx, []) == []
    assert await everything(tx) == before

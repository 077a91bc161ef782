"""What members are shown: wallets in one statement, statements page by page, single transfers."""

from datetime import timedelta

import pytest

from o2o.crm.statuses import Asset, Tender, TransferKind
from o2o.infra.database import SessionFactory, Tx
from o2o.kernel.ids import MemberId, RequestId, TransferId, new_id
from o2o.ledger.actions.debit_stored_value import Transferred, debit_stored_value
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.errors import AccountNotFound
from o2o.ledger.queries import (
    StatementLine,
    Transfer,
    Wallet,
    find_transfer,
    find_transfers_of_request,
    get_wallet,
    list_statement,
    list_wallets,
)
from tests.factories.ledger import (
    debit,
    given_books,
    given_committed_books,
    given_top_up,
    grant,
    spend,
)
from tests.fakes.clock import NOON
from tests.fakes.statements import heard_statements


async def test_wallets_tell_principal_bonus_and_points(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=20_000, bonus_fen=2_000)
    await debit_stored_value(tx, [debit(books, 1_100)])
    await grant_points(tx, [grant(books, 5), grant(books, 6, member_id=books.other_member_id)])
    unknown = MemberId(new_id())

    wallets = await list_wallets(tx, [books.member_id, books.other_member_id, unknown])

    assert wallets == {
        books.member_id: Wallet(
            balance_fen=20_900, principal_fen=19_000, bonus_fen=1_900, points=5
        ),
        books.other_member_id: Wallet(balance_fen=0, principal_fen=0, bonus_fen=0, points=6),
    }
    with pytest.raises(AccountNotFound):
        await get_wallet(tx, unknown)


async def test_many_wallets_are_one_statement(
    sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = await given_committed_books(sessions)
    statements = heard_statements(sessions, monkeypatch)

    async with sessions() as tx:
        await list_wallets(tx, [books.member_id, books.other_member_id] * 50)

    assert len(statements) == 1


async def test_a_statement_is_newest_first_with_signed_parts(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=20_000, bonus_fen=2_000)
    at = NOON + timedelta(hours=1)
    command = debit(books, 1_100, now=at, reason="2号桌", store_id=books.other_store_id)
    [paid] = await debit_stored_value(tx, [command])
    assert isinstance(paid, Transferred)

    lines = await list_statement(tx, books.member_id)

    assert lines[0] == StatementLine(
        seq=lines[0].seq,
        transfer_id=paid.transfer_id,
        kind=TransferKind.DEBIT,
        amount=-1_100,
        principal_fen=-1_000,
        bonus_fen=-100,
        balance_after=20_900,
        store_id=books.other_store_id,
        tender=None,
        reason="2号桌",
        at=at,
    )
    assert [
        (line.kind, line.amount, line.principal_fen, line.bonus_fen, line.balance_after)
        for line in lines[1:]
    ] == [
        (TransferKind.TOP_UP_BONUS, 2_000, 0, 2_000, 22_000),
        (TransferKind.TOP_UP, 20_000, 20_000, 0, 20_000),
    ]
    assert [line.tender for line in lines] == [None, None, Tender.CASH]


async def test_pages_follow_each_other_without_gap_or_overlap(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=20_000)
    await debit_stored_value(tx, [debit(books, amount) for amount in range(1, 8)])

    amounts: list[int] = []
    before: int | None = None
    while page := await list_statement(tx, books.member_id, before_seq=before, limit=3):
        assert len(page) <= 3
        amounts += [line.amount for line in page]
        before = page[-1].seq

    assert amounts == [-7, -6, -5, -4, -3, -2, -1, 20_000]


async def test_a_page_has_at_least_one_and_at_most_a_hundred_lines(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=20_000)
    await debit_stored_value(tx, [debit(books, 1) for _ in range(105)])

    assert len(await list_statement(tx, books.member_id, limit=10**9)) == 100
    assert len(await list_statement(tx, books.member_id, limit=-3)) == 1


async def test_points_have_a_statement_of_their_own(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=20_000)
    await grant_points(tx, [grant(books, 50)])
    await spend_points(tx, [spend(books, 20)])

    lines = await list_statement(tx, books.member_id, asset=Asset.POINTS)

    assert [(line.kind, line.amount, line.balance_after) for line in lines] == [
        (TransferKind.POINTS_SPENT, -20, 30),
        (TransferKind.POINTS_EARNED, 50, 50),
    ]
    assert {(line.principal_fen, line.bonus_fen) for line in lines} == {(0, 0)}
    assert await list_statement(tx, MemberId(new_id())) == []


async def test_a_transfer_is_found_by_its_id_and_by_its_request(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=20_000)
    command = debit(books, 300, reason="午餐")
    [paid] = await debit_stored_value(tx, [command])
    assert isinstance(paid, Transferred)

    found = await find_transfer(tx, paid.transfer_id)

    assert found == Transfer(
        id=paid.transfer_id,
        request_id=command.request_id,
        part=0,
        kind=TransferKind.DEBIT,
        asset=Asset.CNY_FEN,
        amount=300,
        member_id=books.member_id,
        to_member_id=None,
        reverses_id=None,
        store_id=books.store_id,
        visit_id=None,
        staff_id=None,
        reason="午餐",
        at=command.now,
    )
    assert await find_transfers_of_request(tx, command.request_id) == [found]
    assert await find_transfer(tx, TransferId(new_id())) is None
    assert await find_transfers_of_request(tx, RequestId(new_id())) == []

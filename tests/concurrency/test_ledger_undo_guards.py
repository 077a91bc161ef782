"""Holds end once and transfers are taken back once: each guard removed, the damage does happen."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import SessionFactory, Tx, transaction, violated_constraint
from o2o.kernel.ids import MemberId, TransferId
from o2o.ledger.actions import end_holds, post_transfers
from o2o.ledger.actions.debit_stored_value import Transferred, debit_stored_value
from o2o.ledger.actions.end_holds import expire_holds, post_holds, void_holds
from o2o.ledger.actions.pass_on_stored_value import PassedOn, pass_on_stored_value
from o2o.ledger.actions.reverse_transfers import reverse_debits
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.errors import AlreadyReversed, BooksOutOfStep, HoldEnded
from o2o.ledger.queries import books as books_queries
from o2o.ledger.queries import get_wallet
from o2o.ledger.verify import verify_ledger
from tests.concurrency.racing import Act, both_at_once, without
from tests.factories.ledger import Books, debit, given_committed_books, rows, top_up
from tests.factories.movements import HOLD_ENDS, given_hold, pass_on, post, reverse, void

REVERSED = ("ledger_reversals", "ck_ledger_reversals_reversed_in_range")


@pytest.fixture
def no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOCK_ACCOUNTS", "_LOCK_FREE_ACCOUNTS"):
        statement = getattr(books_queries, name).text.replace(" SKIP LOCKED", "")
        monkeypatch.setattr(books_queries, name, without(text(statement), "FOR NO KEY UPDATE"))


@pytest.fixture
def no_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = without(post_transfers._UPDATE_BALANCES, "AND a.balance = c.balance_read")
    monkeypatch.setattr(post_transfers, "_UPDATE_BALANCES", statement)


@pytest.fixture
def no_condition_on_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    condition = " AND h.status = ANY(CAST(:sources AS text[]))"
    monkeypatch.setattr(end_holds, "_END_HOLDS", without(end_holds._END_HOLDS, condition))


@pytest.fixture
def no_condition_on_reversals(monkeypatch: pytest.MonkeyPatch) -> None:
    condition = " WHERE r.reversed + excluded.reversed <= r.amount"
    statement = without(post_transfers._INSERT_REVERSALS, condition)
    monkeypatch.setattr(post_transfers, "_INSERT_REVERSALS", statement)


@asynccontextmanager
async def no_check(sessions: SessionFactory) -> AsyncGenerator[None, None]:
    table, name = REVERSED
    async with transaction(sessions) as tx:
        await tx.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    try:
        yield
    finally:
        async with transaction(sessions) as tx:
            await tx.execute(text(f"TRUNCATE {table}"))
            await tx.execute(
                text(
                    f"ALTER TABLE {table} ADD CONSTRAINT {name}"
                    " CHECK (reversed BETWEEN 1 AND amount)"
                )
            )


async def given_debits(sessions: SessionFactory) -> tuple[Books, TransferId]:
    """A debit of 600 among others, so that its lot has room for more than went."""
    books = await given_committed_books(sessions, principal_fen=10_000)
    async with transaction(sessions) as tx:
        [paid, _] = await debit_stored_value(tx, [debit(books, 600), debit(books, 5_000)])
    assert isinstance(paid, Transferred)
    return books, paid.transfer_id


def reversal(books: Books, transfer_id: TransferId) -> Act:
    async def act(tx: Tx) -> Any:
        [result] = await reverse_debits(tx, [reverse(books, transfer_id)])
        return result

    return act


async def balance(sessions: SessionFactory, books: Books) -> int:
    async with sessions() as tx:
        return (await get_wallet(tx, books.member_id)).balance_fen


async def test_of_two_reversals_the_second_finds_nothing_left(sessions: SessionFactory) -> None:
    books, paid = await given_debits(sessions)

    first, second = await both_at_once(sessions, reversal(books, paid), reversal(books, paid))

    assert isinstance(first, Transferred)
    assert isinstance(second, AlreadyReversed)
    assert second.detail["left"] == 0
    assert await balance(sessions, books) == 5_000


@pytest.mark.usefixtures("no_lock")
async def test_without_the_lock_the_row_of_the_reversal_stops_the_second(
    sessions: SessionFactory,
) -> None:
    books, paid = await given_debits(sessions)

    _, second = await both_at_once(sessions, reversal(books, paid), reversal(books, paid))

    assert isinstance(second, BooksOutOfStep)
    assert "ledger_reversals" in str(second)
    assert await balance(sessions, books) == 5_000
    assert (await verify_ledger(sessions)).is_sound


@pytest.mark.usefixtures("no_lock", "no_compare", "no_condition_on_reversals")
async def test_without_its_condition_the_check_on_the_row_stops_it(
    sessions: SessionFactory,
) -> None:
    books, paid = await given_debits(sessions)

    _, second = await both_at_once(sessions, reversal(books, paid), reversal(books, paid))

    assert isinstance(second, DBAPIError)
    assert violated_constraint(second) == REVERSED[1]
    assert await balance(sessions, books) == 5_000


@pytest.mark.usefixtures("no_lock", "no_compare", "no_condition_on_reversals")
async def test_without_any_of_them_money_goes_back_twice(sessions: SessionFactory) -> None:
    async with no_check(sessions):
        books, paid = await given_debits(sessions)

        _, second = await both_at_once(sessions, reversal(books, paid), reversal(books, paid))

        assert isinstance(second, Transferred)
        assert await balance(sessions, books) == 5_600
        verdict = await verify_ledger(sessions)
        assert verdict.fault_counts["reversals_give_back_what_was_drawn"] == 1


async def given_holds(sessions: SessionFactory) -> tuple[Books, TransferId]:
    """A hold beside another, so that enough is set aside to go twice."""
    books = await given_committed_books(sessions, principal_fen=10_000)
    async with transaction(sessions) as tx:
        hold_id = await given_hold(tx, books, 600)
        await given_hold(tx, books, 5_000)
    return books, hold_id


def posting(books: Books, hold_id: TransferId) -> Act:
    async def act(tx: Tx) -> Any:
        [result] = await post_holds(tx, [post(books, hold_id)])
        return result

    return act


def voiding(books: Books, hold_id: TransferId) -> Act:
    async def act(tx: Tx) -> Any:
        [result] = await void_holds(tx, [void(books, hold_id)])
        return result

    return act


async def sweeping(tx: Tx) -> int:
    return await expire_holds(tx, now=HOLD_ENDS, limit=10)


async def standing(sessions: SessionFactory, hold_id: TransferId) -> str:
    async with sessions() as tx:
        [(status,)] = await rows(tx, "SELECT status FROM ledger_holds WHERE id = :id", id=hold_id)
    return str(status)


async def test_a_sweep_passes_over_a_hold_that_is_being_posted(sessions: SessionFactory) -> None:
    books, hold_id = await given_holds(sessions)

    async with transaction(sessions) as tx:
        await posting(books, hold_id)(tx)
        async with transaction(sessions) as other:
            swept = await sweeping(other)

    assert swept == 0
    assert await standing(sessions, hold_id) == "posted"
    async with transaction(sessions) as tx:
        assert await sweeping(tx) == 1
    assert await standing(sessions, hold_id) == "posted"
    assert await balance(sessions, books) == 9_400


async def test_a_post_that_waited_for_the_sweep_finds_the_hold_over(
    sessions: SessionFactory,
) -> None:
    books, hold_id = await given_holds(sessions)

    swept, posted = await both_at_once(sessions, sweeping, posting(books, hold_id))

    assert swept == 2
    assert isinstance(posted, HoldEnded)
    assert posted.detail["status"] == "expired"
    assert await balance(sessions, books) == 10_000


@pytest.mark.usefixtures("no_lock", "no_compare")
async def test_without_the_lock_the_hold_itself_ends_once(sessions: SessionFactory) -> None:
    books, hold_id = await given_holds(sessions)

    first, second = await both_at_once(sessions, posting(books, hold_id), voiding(books, hold_id))

    assert isinstance(first, Transferred)
    assert isinstance(second, BooksOutOfStep)
    assert "holds" in str(second)
    assert await standing(sessions, hold_id) == "posted"
    assert await balance(sessions, books) == 4_400


@pytest.mark.usefixtures("no_lock", "no_compare", "no_condition_on_holds")
async def test_without_its_condition_a_hold_is_sold_for_and_given_back(
    sessions: SessionFactory,
) -> None:
    books, hold_id = await given_holds(sessions)

    # Two sales for one hold; the later one is written over the first in the hold's row.
    first, second = await both_at_once(sessions, posting(books, hold_id), posting(books, hold_id))

    assert isinstance(first, Transferred)
    assert isinstance(second, Transferred)
    verdict = await verify_ledger(sessions)
    assert verdict.fault_counts["held_equals_open_holds"] == 1
    assert verdict.fault_counts["holds_end_by_their_transfers"] == 1


async def test_two_who_give_each_other_at_once_do_not_deadlock(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions, principal_fen=50_000)
    async with transaction(sessions) as tx:
        more = top_up(books, member_id=books.other_member_id, principal_fen=50_000)
        await top_up_stored_value(tx, [more])

    async def give(giver: MemberId, receiver: MemberId) -> Any:
        async with transaction(sessions) as tx:
            command = pass_on(books, 100, member_id=giver, to_member_id=receiver)
            [result] = await pass_on_stored_value(tx, [command])
        return result

    both = (books.member_id, books.other_member_id)
    results = await asyncio.gather(*(give(*(both if n % 2 else both[::-1])) for n in range(60)))

    assert all(isinstance(result, PassedOn) for result in results)
    assert await balance(sessions, books) == 50_000
    assert (await verify_ledger(sessions)).is_sound

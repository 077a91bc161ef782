"""Cards are locked in the order of their accounts' ids, whatever order the rows lie in."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import MemberId, new_id
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.queries import books as books_queries
from tests.factories.ledger import Books, debit, given_committed_books
from tests.fakes.clock import NOON

LOCK = text("SELECT 1 FROM ledger_accounts WHERE id = :id FOR UPDATE NOWAIT")


async def given_two_cards(sessions: SessionFactory, books: Books) -> tuple[UUID, UUID]:
    """Two accounts, lower id first; by owner and in the table they lie the other way round."""
    low, high = sorted((new_id(), new_id()))
    first_owner, second_owner = sorted((new_id(), new_id()))
    async with transaction(sessions) as tx:
        for account_id, owner_id in ((high, first_owner), (low, second_owner)):
            await tx.execute(
                text(
                    "INSERT INTO ledger_accounts"
                    " (id, brand_id, kind, asset, owner_id, balance, created_at) VALUES"
                    " (:id, :brand, 'member_stored_value', 'cny_fen', :owner, 0, :now)"
                ),
                {"id": account_id, "brand": books.brand_id, "owner": owner_id, "now": NOON},
            )
    return low, high


async def until_blocked(sessions: SessionFactory) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND cardinality(pg_blocking_pids(pid)) > 0"
    )
    while True:
        async with sessions() as tx:
            if await tx.scalar(waiting):
                return
        await asyncio.sleep(0.01)


async def is_higher_one_free(sessions: SessionFactory) -> bool:
    """While somebody holds the lower account, does a batch over both already hold the higher?"""
    books = await given_committed_books(sessions)
    low, high = await given_two_cards(sessions, books)
    async with sessions() as tx:
        owners = await tx.scalars(
            text("SELECT owner_id FROM ledger_accounts WHERE id IN (:low, :high)"),
            {"low": low, "high": high},
        )
        commands = [debit(books, 1, member_id=MemberId(owner)) for owner in owners.all()]

    async def batch() -> None:
        async with transaction(sessions) as tx:
            await debit_stored_value(tx, commands)

    async with transaction(sessions) as holder:
        await holder.execute(LOCK, {"id": low})
        task = asyncio.create_task(batch())
        await asyncio.wait_for(until_blocked(sessions), timeout=30)
        try:
            async with transaction(sessions) as tx:
                await tx.execute(LOCK, {"id": high})
            is_free = True
        except DBAPIError:
            is_free = False
    await task
    return is_free


async def test_the_lower_account_is_locked_before_the_higher(sessions: SessionFactory) -> None:
    assert await is_higher_one_free(sessions)


async def test_without_the_order_the_higher_is_locked_first(
    sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = books_queries._LOCK_ACCOUNTS.text
    assert "ORDER BY id FOR" in statement
    monkeypatch.setattr(
        books_queries, "_LOCK_ACCOUNTS", text(statement.replace("ORDER BY id FOR", "FOR"))
    )

    assert not await is_higher_one_free(sessions)


async def test_two_who_lock_in_opposite_orders_deadlock(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions)
    low, high = await given_two_cards(sessions, books)
    lock = text("SELECT 1 FROM ledger_accounts WHERE id = :id FOR NO KEY UPDATE")
    both_hold_one = asyncio.Barrier(2)

    async def hold(first: UUID, second: UUID) -> str | None:
        try:
            async with transaction(sessions) as tx:
                await tx.execute(lock, {"id": first})
                await both_hold_one.wait()
                await tx.execute(lock, {"id": second})
        except DBAPIError as error:
            return getattr(error.orig, "sqlstate", None)
        return None

    outcomes = await asyncio.gather(hold(low, high), hold(high, low))

    # PostgreSQL gives one of them up: 40P01, deadlock_detected.
    assert sorted(outcomes, key=str) == ["40P01", None]

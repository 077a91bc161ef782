"""Each guard of the books, shown to be needed: with it removed, the damage does happen."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import SessionFactory, Tx, transaction, violated_constraint
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.ledger.actions import post_transfers
from o2o.ledger.actions.debit_stored_value import (
    DebitStoredValue,
    Transferred,
    debit_stored_value,
)
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.errors import BooksOutOfStep, InsufficientBalance
from o2o.ledger.queries import books as books_queries
from o2o.ledger.queries import get_wallet
from o2o.ledger.verify import verify_ledger
from tests.factories.ledger import Books, debit, given_committed_books, top_up

BALANCE_CHECK = ("ledger_accounts", "ck_ledger_accounts_balance_not_negative", "balance >= 0")
ENTRY_CHECK = (
    "ledger_entries",
    "ck_ledger_entries_balance_after_not_negative",
    "balance_after >= 0",
)
LOT_CHECK = (
    "ledger_lots",
    "ck_ledger_lots_remaining_in_range",
    "remaining BETWEEN 0 AND granted",
)


def without(statement: TextClause, words: str) -> TextClause:
    """The product's own statement less one guard."""
    assert words in statement.text
    return text(statement.text.replace(words, ""))


@pytest.fixture
def no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = without(books_queries._LOCK_ACCOUNTS, "FOR NO KEY UPDATE")
    monkeypatch.setattr(books_queries, "_LOCK_ACCOUNTS", statement)


@pytest.fixture
def no_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = without(post_transfers._UPDATE_BALANCES, "AND a.balance = c.balance_read")
    monkeypatch.setattr(post_transfers, "_UPDATE_BALANCES", statement)


@asynccontextmanager
async def no_constraints(
    sessions: SessionFactory, *constraints: tuple[str, str, str]
) -> AsyncGenerator[None, None]:
    """Drop CHECKs; they come back afterwards, in a database that has been emptied."""
    async with transaction(sessions) as tx:
        for table, name, _ in constraints:
            await tx.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    try:
        yield
    finally:
        tables = {table for table, _, _ in constraints}
        async with transaction(sessions) as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(text(f"TRUNCATE {', '.join(sorted(tables))} CASCADE"))
            for table, name, condition in constraints:
                await tx.execute(
                    text(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
                )


async def until_blocked(sessions: SessionFactory) -> None:
    """Wait until some connection waits for another one's transaction."""
    while True:
        async with sessions() as tx:
            blocked = await tx.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND cardinality(pg_blocking_pids(pid)) > 0"
                )
            )
        if blocked:
            return
        await asyncio.sleep(0.01)


async def run(tx: Tx, command: DebitStoredValue) -> Any:
    [result] = await debit_stored_value(tx, [command])
    return result


async def both_at_once(sessions: SessionFactory, commands: Sequence[DebitStoredValue]) -> Any:
    """The second command starts and must wait while the first is done but not yet committed.

    Returns both outcomes. Without a lock the second has read what was there before the first.
    """
    first, second = commands

    async def later() -> Any:
        try:
            async with transaction(sessions) as tx:
                return await run(tx, second)
        except (DBAPIError, BooksOutOfStep, RequestBodyDiffers) as error:
            return error

    async with transaction(sessions) as tx:
        earlier = await run(tx, first)
        task = asyncio.create_task(later())
        await asyncio.wait_for(until_blocked(sessions), timeout=30)
    return earlier, await task


async def balance(sessions: SessionFactory, books: Books) -> int:
    async with sessions() as tx:
        return (await get_wallet(tx, books.member_id)).balance_fen


async def test_with_the_lock_the_second_debit_sees_the_first(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions, principal_fen=1_000)

    first, second = await both_at_once(sessions, [debit(books, 600), debit(books, 600)])

    assert isinstance(first, Transferred)
    assert isinstance(second, InsufficientBalance)
    assert second.detail["balance_fen"] == 400
    assert await balance(sessions, books) == 400


@pytest.mark.usefixtures("no_lock")
async def test_without_the_lock_a_stale_balance_is_not_written(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions, principal_fen=10_000)

    first, second = await both_at_once(sessions, [debit(books, 600), debit(books, 600)])

    assert isinstance(first, Transferred)
    assert isinstance(second, BooksOutOfStep)
    assert await balance(sessions, books) == 9_400
    assert (await verify_ledger(sessions)).is_sound


@pytest.mark.usefixtures("no_lock", "no_compare")
async def test_without_lock_and_compare_the_statement_goes_wrong(
    sessions: SessionFactory,
) -> None:
    books = await given_committed_books(sessions, principal_fen=10_000)

    first, second = await both_at_once(sessions, [debit(books, 600), debit(books, 600)])

    # Nothing is lost, but the second was told a balance that never was.
    assert first.balance_fen == second.balance_fen == 9_400
    assert await balance(sessions, books) == 8_800
    verdict = await verify_ledger(sessions)
    assert verdict.fault_counts["entries_keep_running_balances"] == 1


@pytest.mark.usefixtures("no_lock", "no_compare")
async def test_without_lock_and_compare_the_checks_refuse_an_overdraft(
    sessions: SessionFactory,
) -> None:
    books = await given_committed_books(sessions, principal_fen=1_000)

    first, second = await both_at_once(sessions, [debit(books, 600), debit(books, 600)])

    assert isinstance(first, Transferred)
    assert isinstance(second, DBAPIError)
    assert violated_constraint(second) == LOT_CHECK[1]
    assert await balance(sessions, books) == 400


@pytest.mark.usefixtures("no_lock", "no_compare")
async def test_without_the_lots_check_the_balance_check_refuses(sessions: SessionFactory) -> None:
    async with no_constraints(sessions, LOT_CHECK):
        books = await given_committed_books(sessions, principal_fen=1_000)

        _, second = await both_at_once(sessions, [debit(books, 600), debit(books, 600)])

        assert isinstance(second, DBAPIError)
        assert violated_constraint(second) == BALANCE_CHECK[1]
        assert await balance(sessions, books) == 400


@pytest.mark.usefixtures("no_lock", "no_compare")
async def test_without_any_guard_the_card_is_overdrawn(sessions: SessionFactory) -> None:
    async with no_constraints(sessions, BALANCE_CHECK, ENTRY_CHECK, LOT_CHECK):
        books = await given_committed_books(sessions, principal_fen=1_000)

        first, second = await both_at_once(sessions, [debit(books, 600), debit(books, 600)])

        assert isinstance(first, Transferred)
        assert isinstance(second, Transferred)
        assert await balance(sessions, books) == -200
        verdict = await verify_ledger(sessions)
        assert verdict.fault_counts["balances_not_negative"] == 1


async def two_cards(sessions: SessionFactory) -> list[DebitStoredValue]:
    """The same request for two cards, which share no lock."""
    books = await given_committed_books(sessions, principal_fen=1_000)
    async with transaction(sessions) as tx:
        await post_top_up(tx, books)
    command = debit(books, 600)
    other = debit(books, 600, request_id=command.request_id, member_id=books.other_member_id)
    return [command, other]


async def post_top_up(tx: Tx, books: Books) -> None:
    command = top_up(books, member_id=books.other_member_id, principal_fen=1_000)
    await top_up_stored_value(tx, [command])


async def debits_written(sessions: SessionFactory) -> int:
    async with sessions() as tx:
        found = await tx.scalar(text("SELECT count(*) FROM ledger_transfers WHERE kind = 'debit'"))
    return int(found or 0)


async def test_with_the_unique_key_one_request_id_is_one_debit(sessions: SessionFactory) -> None:
    commands = await two_cards(sessions)

    first, second = await both_at_once(sessions, commands)

    assert isinstance(first, Transferred)
    assert isinstance(second, RequestBodyDiffers)
    assert await debits_written(sessions) == 1


async def test_without_the_unique_key_one_request_id_is_two_debits(
    sessions: SessionFactory,
) -> None:
    commands = await two_cards(sessions)
    key = "CONSTRAINT uq_ledger_transfers_request_id_part"
    async with transaction(sessions) as tx:
        await tx.execute(text(f"ALTER TABLE ledger_transfers DROP {key}"))
    try:
        async with transaction(sessions) as first, transaction(sessions) as second:
            results = [await run(first, commands[0]), await run(second, commands[1])]

        assert all(isinstance(result, Transferred) for result in results)
        assert await debits_written(sessions) == 2
    finally:
        async with transaction(sessions) as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(text("TRUNCATE ledger_transfers CASCADE"))
            await tx.execute(
                text(f"ALTER TABLE ledger_transfers ADD {key} UNIQUE (request_id, part)")
            )


async def test_without_the_look_up_the_unique_key_still_refuses_a_repeat(
    sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any) -> dict[Any, Any]:
        return {}

    monkeypatch.setattr(books_queries, "find_done", nothing)
    books = await given_committed_books(sessions, principal_fen=1_000)
    command = debit(books, 300)

    first, second = await both_at_once(sessions, [command, command])

    assert isinstance(first, Transferred)
    assert isinstance(second, RequestBodyDiffers)
    assert await debits_written(sessions) == 1
    assert await balance(sessions, books) == 700

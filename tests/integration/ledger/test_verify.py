"""The verification: sound books pass, and each kind of damage is found and named."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.queries.checks import CHECKS
from o2o.ledger.verify import verify_ledger
from o2o.ledger.verify_seals import CHECKS as HISTORY_CHECKS
from tests.factories.damages import BELOW_ZERO, DAMAGES
from tests.factories.ledger import Books, debit, given_books, given_top_up, grant, spend


async def given_a_day(sessions: SessionFactory) -> Books:
    """A top-up with a bonus, two debits, points earned and spent."""
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        await given_top_up(tx, books, principal_fen=50_000, bonus_fen=6_000)
        results: Sequence[object] = [
            *await debit_stored_value(tx, [debit(books, 8_800), debit(books, 1_234)]),
            *await grant_points(tx, [grant(books, 100)]),
            *await spend_points(tx, [spend(books, 30)]),
        ]
        assert not [result for result in results if isinstance(result, Exception)]
    return books


async def damage(sessions: SessionFactory, *statements: str) -> None:
    """Change rows past all guards, as somebody with the database's own powers could."""
    async with transaction(sessions) as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await tx.execute(text(statement))


async def test_sound_books_pass_every_check(sessions: SessionFactory) -> None:
    await given_a_day(sessions)

    verdict = await verify_ledger(sessions)

    assert verdict.is_sound
    assert verdict.faults == []
    assert verdict.lines()[-1] == "the books are sound"
    assert verdict.fault_counts == dict.fromkeys(CHECKS, 0)
    extent = verdict.extent
    assert (extent.accounts, extent.transfers, extent.entries) == (17, 6, 12)
    assert (extent.lots, extent.draws) == (3, 5)


async def test_empty_books_pass(sessions: SessionFactory) -> None:
    assert (await verify_ledger(sessions)).is_sound


@pytest.mark.parametrize("name", DAMAGES)
async def test_each_damage_is_found(sessions: SessionFactory, name: str) -> None:
    statement, checks = DAMAGES[name]
    await given_a_day(sessions)

    await damage(sessions, statement)
    verdict = await verify_ledger(sessions)

    assert {fault for fault, count in verdict.fault_counts.items() if count} == checks
    assert {fault.check for fault in verdict.faults} == checks
    assert not verdict.is_sound


async def test_a_balance_below_zero_is_found(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    constraint = "CONSTRAINT ck_ledger_accounts_balance_not_negative"
    empty = "kind = 'member_stored_value' AND balance = 0"
    await damage(sessions, f"ALTER TABLE ledger_accounts DROP {constraint}")
    try:
        await damage(sessions, f"UPDATE ledger_accounts SET balance = -1 WHERE {empty}")

        verdict = await verify_ledger(sessions)

        assert {fault.check for fault in verdict.faults} == BELOW_ZERO
    finally:
        await damage(
            sessions,
            "UPDATE ledger_accounts SET balance = 0 WHERE balance < 0",
            f"ALTER TABLE ledger_accounts ADD {constraint} CHECK (balance >= 0)",
        )


async def test_a_fault_names_the_row_and_both_amounts(sessions: SessionFactory) -> None:
    books = await given_a_day(sessions)
    await damage(
        sessions,
        "UPDATE ledger_accounts SET balance = 1 WHERE kind = 'member_points'"
        f" AND owner_id = '{books.member_id}'",
    )
    async with sessions() as tx:
        account_id = await tx.scalar(
            text("SELECT id FROM ledger_accounts WHERE kind = 'member_points' AND balance = 1")
        )

    verdict = await verify_ledger(sessions)

    assert [(f.check, f.subject, f.expected, f.found) for f in verdict.faults] == [
        ("balances_equal_entries", str(account_id), "70", "1"),
        ("balances_equal_lots", str(account_id), "70", "1"),
    ]
    assert verdict.lines() == [
        (
            "read 17 accounts, 6 transfers, 12 entries, 3 lots, 5 draws,"
            " 0 returns, 0 holds, 0 reversals"
        ),
        "ok   assets_sum_to_zero",
        "FAIL balances_equal_entries: 1",
        f"     {account_id}: expected 70, found 1",
        "FAIL balances_equal_lots: 1",
        f"     {account_id}: expected 70, found 1",
        *(f"ok   {check}" for check in list(CHECKS)[3:]),
        "sealed 0 entries in 0 seals, 12 not yet; 0 heads compared",
        *(f"ok   {check}" for check in HISTORY_CHECKS),
        "the books are NOT sound",
    ]


async def test_many_faults_are_counted_and_the_first_are_named(sessions: SessionFactory) -> None:
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        await given_top_up(tx, books, principal_fen=50_000)
        await debit_stored_value(tx, [debit(books, 1) for _ in range(25)])
    await damage(sessions, "UPDATE ledger_transfers SET amount = 2 WHERE kind = 'debit'")

    verdict = await verify_ledger(sessions)

    assert verdict.fault_counts["draws_cover_what_was_spent"] == 25
    assert verdict.fault_counts["entries_match_transfers"] == 50
    named = [fault for fault in verdict.faults if fault.check == "entries_match_transfers"]
    assert [int(fault.subject) for fault in named] == sorted(int(f.subject) for f in named)
    assert len(named) == 10

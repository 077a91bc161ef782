"""Typed reasons stand beside the books: shown with them, never changed unseen, and able to go."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.infra.database import SessionFactory, transaction
from o2o.ledger.actions.debit_stored_value import Transferred, debit_stored_value
from o2o.ledger.queries import find_transfer, list_statement
from o2o.ledger.verify import verify_ledger
from tests.factories.ledger import Books, debit, given_committed_books

TYPED = "王小明的生日蛋糕 13912345678"


@pytest.fixture
async def books(sessions: SessionFactory) -> Books:
    return await given_committed_books(sessions, principal_fen=1_000)


@pytest.fixture
async def paid(sessions: SessionFactory, books: Books) -> Transferred:
    async with transaction(sessions) as tx:
        [done] = await debit_stored_value(tx, [debit(books, 100, reason=TYPED)])
    assert isinstance(done, Transferred)
    return done


async def shown(sessions: SessionFactory, books: Books, paid: Transferred) -> list[str | None]:
    async with sessions() as tx:
        [line, *_] = await list_statement(tx, books.member_id)
        found = await find_transfer(tx, paid.transfer_id)
    assert found is not None
    return [line.reason, found.reason]


async def faults(sessions: SessionFactory) -> int:
    return (await verify_ledger(sessions)).fault_counts["reasons_are_as_typed"]


async def test_the_books_hold_no_word_of_it(
    sessions: SessionFactory, books: Books, paid: Transferred
) -> None:
    assert await shown(sessions, books, paid) == [TYPED, TYPED]
    async with sessions() as tx:
        in_books = await tx.scalar(
            text("SELECT reason FROM ledger_transfers WHERE id = :id"), {"id": paid.transfer_id}
        )
    assert str(in_books).startswith("sha256:")
    assert await faults(sessions) == 0


async def test_what_was_typed_of_old_is_still_shown(
    sessions: SessionFactory, books: Books, paid: Transferred
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text("DELETE FROM ledger_reasons"))
        await tx.execute(
            text("UPDATE ledger_transfers SET reason = '午餐' WHERE id = :id"),
            {"id": paid.transfer_id},
        )

    assert await shown(sessions, books, paid) == ["午餐", "午餐"]
    assert await faults(sessions) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_reasons SET reason = 'x'",
        "UPDATE ledger_reasons SET salt = 'x'",
        "DELETE FROM ledger_reasons",
        "UPDATE ledger_transfers SET reason = NULL WHERE kind = 'debit'",
    ],
)
async def test_a_change_is_seen(sessions: SessionFactory, paid: Transferred, change: str) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text(change))

    verdict = await verify_ledger(sessions)

    assert verdict.fault_counts["reasons_are_as_typed"] == 1
    [fault] = [one for one in verdict.faults if one.check == "reasons_are_as_typed"]
    assert fault.subject == str(paid.transfer_id)
    # The database is emptied after this test by whoever comes next; leave it sound till then.
    async with transaction(sessions) as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text("DELETE FROM ledger_reasons"))
        await tx.execute(text("UPDATE ledger_transfers SET reason = NULL"))


async def test_a_reason_is_never_another(sessions: SessionFactory, paid: Transferred) -> None:
    with pytest.raises(IntegrityError):
        async with transaction(sessions) as tx:
            await tx.execute(text("UPDATE ledger_reasons SET reason = 'x'"))

"""Sealed history for tests: a day in the books, sealed in short stretches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.seal_history import seal_history
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.seals import ENTRIES_MAX, Sealed
from tests.factories.ledger import Books, debit, given_books, given_top_up, grant, spend
from tests.fakes.clock import NOON


async def given_a_day(sessions: SessionFactory) -> Books:
    """A top-up with a bonus, two debits, points earned and spent: 12 entries."""
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


async def sealed(
    sessions: SessionFactory, *, entries_max: int = ENTRIES_MAX, now: datetime = NOON
) -> list[Sealed]:
    """Run one round of sealing."""
    async with transaction(sessions) as tx:
        return await seal_history(tx, now=now, entries_max=entries_max)


async def damage(sessions: SessionFactory, *statements: str, **values: Any) -> None:
    """Change rows past all guards, as somebody with the database's own powers could."""
    async with transaction(sessions) as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await tx.execute(text(statement), values)

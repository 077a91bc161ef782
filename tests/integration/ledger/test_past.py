"""Entering the past: the books are the same as ever, but nobody is told."""

from o2o.infra.database import SessionFactory, transaction
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.queries import Wallet, get_wallet
from o2o.ledger.verify import verify_ledger
from tests.factories.ledger import debit, given_books, grant, rows, spend, top_up


async def test_the_past_enters_the_books_without_an_event(sessions: SessionFactory) -> None:
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        top_ups = [top_up(books, principal_fen=900, bonus_fen=100)]
        await top_up_stored_value(tx, top_ups, is_announced=False)
        await debit_stored_value(tx, [debit(books, 300)], is_announced=False)
        await grant_points(tx, [grant(books, 3)], is_announced=False)
        await spend_points(tx, [spend(books, 1)], is_announced=False)

        assert await rows(tx, "SELECT topic FROM outbox_messages") == []
        assert await get_wallet(tx, books.member_id) == Wallet(
            balance_fen=700, principal_fen=630, bonus_fen=70, points=2
        )
    assert (await verify_ledger(sessions)).is_sound

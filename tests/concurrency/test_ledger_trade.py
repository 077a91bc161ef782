"""All the ledger can do at once, from 64 connections; `python -m chaos books` goes longer."""

from chaos.trade import CLIENTS, TWICE_AT_ONCE, Market, Trade
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.kernel.ids import MemberId, new_id
from o2o.ledger.actions.open_accounts import open_member_accounts
from tests.factories.ledger import given_committed_books
from tests.fakes.clock import NOON

SECONDS = 8
MEMBERS = 16


async def test_the_books_stand_while_64_people_do_everything_at_once(
    sessions: SessionFactory, database_url: str
) -> None:
    books = await given_committed_books(sessions)
    members = [MemberId(new_id()) for _ in range(MEMBERS)]
    async with transaction(sessions) as tx:
        await open_member_accounts(tx, brand_id=books.brand_id, member_ids=members, now=NOON)
    market = Market(brand_id=books.brand_id, store_id=books.store_id, members=members)
    engine = create_engine(database_url, pool_size=CLIENTS + TWICE_AT_ONCE + 1)
    trade = Trade(create_sessions(engine), market, seed=20261122)
    try:
        await trade.run(seconds=SECONDS, clients=CLIENTS)
    finally:
        await engine.dispose()

    assert trade.violations == []
    assert trade.figures["deadlocks"] == 0
    assert trade.figures["snapshots"] > 0
    assert trade.figures["transfers"] > trade.figures["debit"] > 0

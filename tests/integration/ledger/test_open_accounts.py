"""Opening accounts: at zero, once, also when two do it at the same time."""

import asyncio

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.kernel.ids import BrandId, MemberId, StoreId, new_id
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.open_accounts import open_member_accounts, open_store_accounts
from o2o.ledger.errors import AccountNotFound
from o2o.ledger.queries import get_wallet
from tests.factories.ledger import debit, given_books, given_top_up, rows
from tests.factories.organisation import given_brand
from tests.fakes.clock import NOON


async def test_members_get_two_pockets_and_stores_four(tx: Tx) -> None:
    brand_id = BrandId((await given_brand(tx)).id)
    member_id, store_id = MemberId(new_id()), StoreId(new_id())

    await open_member_accounts(tx, brand_id=brand_id, member_ids=[member_id], now=NOON)
    await open_store_accounts(tx, brand_id=brand_id, store_ids=[store_id], now=NOON)

    found = await rows(
        tx,
        "SELECT owner_id, kind, asset, balance, brand_id, created_at FROM ledger_accounts"
        " ORDER BY kind",
    )
    assert found == [
        (brand_id, "brand_adjustments", "cny_fen", None, brand_id, NOON),
        (brand_id, "brand_points_donated", "points", None, brand_id, NOON),
        (brand_id, "brand_points_expired", "points", None, brand_id, NOON),
        (brand_id, "brand_points_issued", "points", None, brand_id, NOON),
        (brand_id, "brand_points_spent", "points", None, brand_id, NOON),
        (member_id, "member_points", "points", 0, brand_id, NOON),
        (member_id, "member_stored_value", "cny_fen", 0, brand_id, NOON),
        (store_id, "store_bonus", "cny_fen", None, brand_id, NOON),
        (store_id, "store_opening", "cny_fen", None, brand_id, NOON),
        (store_id, "store_sales", "cny_fen", None, brand_id, NOON),
        (store_id, "store_takings", "cny_fen", None, brand_id, NOON),
    ]


async def test_opening_again_changes_nothing(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=100)
    accounts = "SELECT * FROM ledger_accounts ORDER BY id"
    before = await rows(tx, accounts)

    await open_member_accounts(
        tx, brand_id=books.brand_id, member_ids=[books.member_id, books.member_id], now=NOON
    )
    await open_store_accounts(tx, brand_id=books.brand_id, store_ids=[books.store_id], now=NOON)
    await open_member_accounts(tx, brand_id=books.brand_id, member_ids=[], now=NOON)

    assert await rows(tx, accounts) == before
    assert (await get_wallet(tx, books.member_id)).balance_fen == 100


async def test_opening_at_the_same_time_in_opposite_orders_opens_each_once(
    sessions: SessionFactory,
) -> None:
    async with transaction(sessions) as tx:
        books = await given_books(tx)
    members = [MemberId(new_id()) for _ in range(20)]

    async def open_all(order: list[MemberId]) -> None:
        async with transaction(sessions) as tx:
            await open_member_accounts(tx, brand_id=books.brand_id, member_ids=order, now=NOON)

    await asyncio.gather(*(open_all(members[:: 1 if n % 2 else -1]) for n in range(8)))

    async with sessions() as tx:
        assert await rows(
            tx,
            "SELECT count(*) FROM ledger_accounts WHERE owner_id = ANY(CAST(:ids AS uuid[]))",
            ids=members,
        ) == [(40,)]


async def test_no_money_moves_in_a_store_whose_accounts_are_not_open(tx: Tx) -> None:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=5_000)

    [result] = await debit_stored_value(tx, [debit(books, store_id=StoreId(new_id()))])

    assert isinstance(result, AccountNotFound)
    assert result.status == 404
    assert result.field == "store_id"

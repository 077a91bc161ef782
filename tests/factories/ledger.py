"""A brand with stores whose books are open, members with pockets, and commands on them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, MemberId, StoreId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import DebitStoredValue
from o2o.ledger.actions.grant_points import GrantPoints
from o2o.ledger.actions.open_accounts import open_member_accounts, open_store_accounts
from o2o.ledger.actions.spend_points import SpendPoints
from o2o.ledger.actions.top_up_stored_value import TopUpStoredValue, top_up_stored_value
from tests.factories.organisation import given_account, given_brand, given_store
from tests.fakes.clock import NOON

LIMIT_FEN = 500_000


class Books(msgspec.Struct, frozen=True):
    """Who takes part: the accounts of all of them are open and empty."""

    brand_id: BrandId
    store_id: StoreId
    other_store_id: StoreId
    member_id: MemberId
    other_member_id: MemberId


async def given_books(tx: Tx) -> Books:
    """One brand, two stores, two members."""
    brand = await given_brand(tx)
    account = await given_account(tx, brand, seal=Seal("a key for tests that is long enough"))
    books = Books(
        brand_id=BrandId(brand.id),
        store_id=StoreId((await given_store(tx, brand, account)).id),
        other_store_id=StoreId((await given_store(tx, brand, account)).id),
        member_id=MemberId(new_id()),
        other_member_id=MemberId(new_id()),
    )
    stores, members = (
        [books.store_id, books.other_store_id],
        [books.member_id, books.other_member_id],
    )
    await open_store_accounts(tx, brand_id=books.brand_id, store_ids=stores, now=NOON)
    await open_member_accounts(tx, brand_id=books.brand_id, member_ids=members, now=NOON)
    return books


async def given_committed_books(
    sessions: SessionFactory, *, principal_fen: int = 0, bonus_fen: int = 0
) -> Books:
    """Books that other connections see, with so much on the card of the first member."""
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        if principal_fen:
            await given_top_up(tx, books, principal_fen=principal_fen, bonus_fen=bonus_fen)
    return books


async def given_top_up(
    tx: Tx, books: Books, *, principal_fen: int, bonus_fen: int = 0, at: datetime = NOON
) -> None:
    """Money on the first member's card."""
    command = top_up(books, principal_fen=principal_fen, bonus_fen=bonus_fen, now=at)
    [result] = await top_up_stored_value(tx, [command])
    assert not isinstance(result, Exception), result


def top_up(books: Books, **fields: Any) -> TopUpStoredValue:
    """A top-up for the first member in the first store, unless said otherwise."""
    return TopUpStoredValue(
        **{
            "request_id": new_request_id(),
            "member_id": books.member_id,
            "store_id": books.store_id,
            "principal_fen": 10_000,
            "bonus_fen": 0,
            "tender": Tender.CASH,
            "balance_fen_max": LIMIT_FEN,
            "now": NOON,
            **fields,
        }
    )


def debit(books: Books, amount_fen: int = 1_000, **fields: Any) -> DebitStoredValue:
    """A debit of the first member in the first store, unless said otherwise."""
    return DebitStoredValue(
        **{
            "request_id": new_request_id(),
            "member_id": books.member_id,
            "store_id": books.store_id,
            "amount_fen": amount_fen,
            "now": NOON + timedelta(minutes=5),
            **fields,
        }
    )


def grant(books: Books, points: int = 100, **fields: Any) -> GrantPoints:
    """Points for the first member from the first store, unless said otherwise."""
    return GrantPoints(
        **{
            "request_id": new_request_id(),
            "member_id": books.member_id,
            "store_id": books.store_id,
            "points": points,
            "now": NOON,
            **fields,
        }
    )


def spend(books: Books, points: int = 100, **fields: Any) -> SpendPoints:
    """Points given by the first member in the first store, unless said otherwise."""
    return SpendPoints(
        **{
            "request_id": new_request_id(),
            "member_id": books.member_id,
            "store_id": books.store_id,
            "points": points,
            "now": NOON + timedelta(minutes=5),
            **fields,
        }
    )


async def rows(tx: Tx, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """What the database holds, as plain tuples."""
    found: Sequence[Any] = (await tx.execute(text(statement), parameters)).all()
    return [tuple(row) for row in found]


TABLES = (
    "ledger_transfers",
    "ledger_entries",
    "ledger_lots",
    "ledger_lot_draws",
    "ledger_lot_returns",
    "ledger_reversals",
    "ledger_holds",
    "outbox_messages",
)


async def everything(tx: Tx) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that a movement may touch, to show that nothing moved."""
    kept = {table: await rows(tx, f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}
    kept["balances"] = await rows(tx, "SELECT id, balance FROM ledger_accounts ORDER BY id")
    return kept

"""Points against PostgreSQL: granted in lots, spent oldest first, expired ones left alone."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import MemberId, new_id
from o2o.ledger.actions.grant_points import PointsMoved, grant_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.errors import AccountNotFound, AmountOutOfRange, InsufficientPoints
from o2o.ledger.queries import get_wallet
from tests.factories.ledger import everything, given_books, grant, rows, spend
from tests.fakes.clock import NOON


async def test_points_are_granted_by_the_brand_as_a_lot(tx: Tx) -> None:
    books = await given_books(tx)
    expires_at = NOON + timedelta(days=365)
    command = grant(books, 88, expires_at=expires_at)

    [result] = await grant_points(tx, [command])

    assert isinstance(result, PointsMoved)
    assert result == PointsMoved(
        transfer_id=result.transfer_id, points=88, points_balance=88, is_replay=False
    )
    assert await rows(
        tx,
        "SELECT t.kind, t.asset, t.store_id, a.kind, a.owner_id, e.amount, e.balance_after"
        " FROM ledger_transfers t JOIN ledger_entries e ON e.transfer_id = t.id"
        " JOIN ledger_accounts a ON a.id = e.account_id ORDER BY e.seq",
    ) == [
        ("points_earned", "points", books.store_id, *side)
        for side in (
            ("brand_points_issued", books.brand_id, -88, None),
            ("member_points", books.member_id, 88, 88),
        )
    ]
    assert await rows(
        tx, "SELECT kind, granted, remaining, granted_at, expires_at FROM ledger_lots"
    ) == [("points", 88, 88, NOON, expires_at)]
    wallet = await get_wallet(tx, books.member_id)
    assert (wallet.points, wallet.balance_fen) == (88, 0)


async def test_the_oldest_points_go_first_and_expired_ones_stay(tx: Tx) -> None:
    books = await given_books(tx)
    minute = timedelta(minutes=1)
    await grant_points(
        tx,
        [
            grant(books, 10, now=NOON - 3 * minute, expires_at=NOON),
            grant(books, 30, now=NOON - 2 * minute),
            grant(books, 50, now=NOON - minute, expires_at=NOON + minute),
        ],
    )

    results = await spend_points(
        tx, [spend(books, 81, now=NOON), spend(books, 45, now=NOON), spend(books, 36, now=NOON)]
    )

    assert [type(result) for result in results] == [
        InsufficientPoints,
        PointsMoved,
        InsufficientPoints,
    ]
    assert isinstance(results[0], InsufficientPoints)
    assert results[0].detail == {"points": 80}
    assert isinstance(results[2], InsufficientPoints)
    assert results[2].detail == {"points": 35}
    assert await rows(tx, "SELECT remaining FROM ledger_lots ORDER BY granted_at") == [
        (10,),
        (0,),
        (35,),
    ]
    assert await rows(
        tx,
        "SELECT a.kind, a.owner_id, e.amount FROM ledger_entries e"
        " JOIN ledger_accounts a ON a.id = e.account_id"
        " JOIN ledger_transfers t ON t.id = e.transfer_id AND t.kind = 'points_spent'"
        " ORDER BY seq",
    ) == [
        ("member_points", books.member_id, -45),
        ("brand_points_spent", books.brand_id, 45),
    ]
    assert await rows(
        tx,
        "SELECT payload ->> 'points', payload ->> 'points_balance' FROM outbox_messages"
        " WHERE topic = 'points.spent'",
    ) == [("45", "45")]


async def test_the_same_requests_again_move_nothing(tx: Tx) -> None:
    books = await given_books(tx)
    granted, spent = grant(books, 100), spend(books, 40)
    first = [*await grant_points(tx, [granted]), *await spend_points(tx, [spent])]
    await grant_points(tx, [grant(books, 7)])
    before = await everything(tx)

    again = [*await grant_points(tx, [granted]), *await spend_points(tx, [spent])]

    assert [(r.transfer_id, r.points_balance) for r in again if isinstance(r, PointsMoved)] == [
        (r.transfer_id, r.points_balance) for r in first if isinstance(r, PointsMoved)
    ]
    assert [getattr(result, "is_replay", None) for result in again] == [True, True]
    assert await everything(tx) == before


async def test_the_same_request_for_something_else_is_refused(tx: Tx) -> None:
    books = await given_books(tx)
    granted = grant(books, 100)
    await grant_points(tx, [granted])
    before = await everything(tx)

    results = [
        *await grant_points(tx, [grant(books, 101, request_id=granted.request_id)]),
        *await spend_points(tx, [spend(books, 100, request_id=granted.request_id)]),
    ]

    assert [type(result) for result in results] == [RequestBodyDiffers, RequestBodyDiffers]
    assert await everything(tx) == before


@pytest.mark.parametrize("points", [0, -5, 100_000_001, 2**31, 2**63])
async def test_numbers_of_points_that_mean_nothing_are_refused(tx: Tx, points: int) -> None:
    books = await given_books(tx)
    await grant_points(tx, [grant(books, 100)])
    before = await everything(tx)

    results = [
        *await grant_points(tx, [grant(books, points)]),
        *await spend_points(tx, [spend(books, points)]),
    ]

    assert [type(result) for result in results] == [AmountOutOfRange, AmountOutOfRange]
    assert await everything(tx) == before


async def test_unknown_members_and_stores_of_others_are_not_found(tx: Tx) -> None:
    books, elsewhere = await given_books(tx), await given_books(tx)
    before = await everything(tx)

    results = [
        *await grant_points(tx, [grant(books, member_id=MemberId(new_id()))]),
        *await grant_points(tx, [grant(books, store_id=elsewhere.store_id)]),
        *await spend_points(tx, [spend(books, store_id=elsewhere.store_id)]),
    ]

    assert [type(result) for result in results] == [AccountNotFound] * 3
    assert await everything(tx) == before


async def test_a_brand_without_points_accounts_moves_none(tx: Tx) -> None:
    books = await given_books(tx)
    await tx.execute(text("ALTER TABLE ledger_accounts DISABLE TRIGGER never_deleted"))
    await tx.execute(text("DELETE FROM ledger_accounts WHERE kind LIKE 'brand_%'"))

    [result] = await grant_points(tx, [grant(books)])

    assert isinstance(result, AccountNotFound)
    assert await rows(tx, "SELECT count(*) FROM ledger_transfers") == [(0,)]

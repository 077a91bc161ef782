"""The statement of a period: of the member and of all who became part of the member."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from o2o.crm.members import Member
from o2o.crm.organisation import Tier
from o2o.crm.statuses import Asset, MemberStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, new_request_id
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.merge_wallets import merge_wallets, unmerge_wallets
from o2o.ledger.queries.period import PeriodStatement, read_period
from tests.factories.ledger import Books, debit, given_books, given_top_up
from tests.fakes.clock import NOON

DAY = timedelta(days=1)


@pytest.fixture
async def books(tx: Tx) -> Books:
    """The first member paid 100 in and 30 out before becoming part of the second."""
    books = await given_books(tx)
    tier_id = await tx.scalar(select(Tier.id).where(Tier.brand_id == books.brand_id))
    for member_id in (books.member_id, books.other_member_id):
        row = {"brand_id": books.brand_id, "tier_id": tier_id, "joined_at": NOON}
        tx.add(Member(id=member_id, status=MemberStatus.ACTIVE, **row))
    await tx.flush()
    await given_top_up(tx, books, principal_fen=10_000)
    await debit_stored_value(tx, [debit(books, 3_000, now=NOON + DAY)])
    return books


async def become_one(tx: Tx, books: Books) -> None:
    await merge_wallets(
        tx,
        request_id=new_request_id(),
        from_member_id=books.member_id,
        into_member_id=books.other_member_id,
        now=NOON + 2 * DAY,
    )
    await tx.execute(
        text("UPDATE members SET status = 'merged', merged_into_id = :into WHERE id = :id"),
        {"into": books.other_member_id, "id": books.member_id},
    )
    command = debit(books, 500, member_id=books.other_member_id, now=NOON + 3 * DAY)
    await debit_stored_value(tx, [command])


async def read(tx: Tx, member_id: MemberId, *, from_days: int, most: int = 100) -> PeriodStatement:
    return await read_period(
        tx,
        member_id,
        asset=Asset.CNY_FEN,
        from_at=NOON + from_days * DAY,
        until_at=NOON + 10 * DAY,
        most=most,
    )


def told(statement: PeriodStatement) -> list[tuple[str, int, int]]:
    return [(line.kind, line.amount, line.balance_after) for line in statement.lines]


async def test_it_goes_back_to_before_they_were_one(tx: Tx, books: Books) -> None:
    await become_one(tx, books)

    whole = await read(tx, books.other_member_id, from_days=0)
    later = await read(tx, books.other_member_id, from_days=1)

    assert (whole.opening, whole.line_count) == (0, 3)
    assert told(whole) == [
        ("top_up", 10_000, 10_000),
        ("debit", -3_000, 7_000),
        ("debit", -500, 6_500),
    ]
    assert (later.opening, told(later)) == (10_000, told(whole)[1:])
    short = await read(tx, books.other_member_id, from_days=0, most=2)
    assert (short.line_count, short.lines) == (3, [])


async def test_once_apart_each_has_the_own_history(tx: Tx, books: Books) -> None:
    await become_one(tx, books)
    await tx.execute(text("UPDATE members SET status = 'active', merged_into_id = NULL"))
    await unmerge_wallets(
        tx,
        request_id=new_request_id(),
        from_member_id=books.member_id,
        into_member_id=books.other_member_id,
        now=NOON + 4 * DAY,
    )

    first = await read(tx, books.member_id, from_days=0)
    second = await read(tx, books.other_member_id, from_days=0)

    assert told(first) == [
        ("top_up", 10_000, 10_000),
        ("debit", -3_000, 7_000),
        ("merged", -7_000, 0),
        ("unmerged", 6_500, 6_500),
    ]
    assert told(second) == [
        ("merged", 7_000, 7_000),
        ("debit", -500, 6_500),
        ("unmerged", -6_500, 0),
    ]

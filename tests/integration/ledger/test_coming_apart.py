"""What two paid while they were one goes back to the one whose it was, once they are two."""

from typing import Any

import pytest
from sqlalchemy import select, text

from o2o.crm.members import Member
from o2o.crm.organisation import Tier
from o2o.crm.statuses import MemberStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, new_request_id
from o2o.ledger.actions.close_accounts import close_accounts
from o2o.ledger.actions.debit_stored_value import Transferred, debit_stored_value
from o2o.ledger.actions.end_holds import post_holds
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.merge_wallets import merge_wallets, unmerge_wallets
from o2o.ledger.actions.reverse_transfers import reverse_debits, reverse_points
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.queries import list_wallets
from o2o.ledger.queries.checks import CHECKS, list_faults
from tests.factories.ledger import Books, debit, given_books, given_top_up, grant, spend, top_up
from tests.factories.movements import LATER, given_hold, post, reverse
from tests.fakes.clock import NOON


@pytest.fixture
async def books(tx: Tx) -> Books:
    """The first member has 500 and 60 of bonus, the second 100; both are there."""
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=50_000, bonus_fen=6_000)
    await one(tx, top_up_second(books))
    tier_id = await tx.scalar(select(Tier.id).where(Tier.brand_id == books.brand_id))
    for member_id in (books.member_id, books.other_member_id):
        tx.add(
            Member(
                id=member_id,
                brand_id=books.brand_id,
                tier_id=tier_id,
                joined_at=NOON,
                status=MemberStatus.ACTIVE,
            )
        )
    await tx.flush()
    return books


def top_up_second(books: Books) -> tuple[Any, Any]:
    command = top_up(books, member_id=books.other_member_id, principal_fen=10_000, now=LATER)
    return top_up_stored_value, command


async def one(tx: Tx, asked: tuple[Any, Any]) -> Any:
    action, command = asked
    [done] = await action(tx, [command])
    assert not isinstance(done, Exception), done
    return done


async def become_one(tx: Tx, books: Books) -> None:
    await merge_wallets(tx, request_id=new_request_id(), now=LATER, **both(books))
    await tx.execute(
        text("UPDATE members SET status = 'merged', merged_into_id = :into WHERE id = :id"),
        {"into": books.other_member_id, "id": books.member_id},
    )


async def come_apart(tx: Tx, books: Books) -> None:
    await tx.execute(text("UPDATE members SET status = 'active', merged_into_id = NULL"))
    await unmerge_wallets(tx, request_id=new_request_id(), now=LATER, **both(books))


def both(books: Books) -> dict[str, Any]:
    return {"from_member_id": books.member_id, "into_member_id": books.other_member_id}


async def wallets(tx: Tx, books: Books) -> list[tuple[int, int, int]]:
    found = await list_wallets(tx, [books.member_id, books.other_member_id])
    return [
        (found[one].principal_fen, found[one].bonus_fen, found[one].points)
        for one in (books.member_id, books.other_member_id)
    ]


async def assert_sound(tx: Tx) -> None:
    assert [fault for check in CHECKS for fault in (await list_faults(tx, check))[1]] == []


def of_survivor(books: Books) -> dict[str, Any]:
    return {"member_id": books.other_member_id, "now": LATER}


@pytest.mark.parametrize("is_held_first", [False, True])
async def test_a_charge_of_both_goes_back_to_each(
    tx: Tx, books: Books, is_held_first: bool
) -> None:
    await become_one(tx, books)
    # 60,000 of principal, of which the first's is older, and 6,000 of bonus.
    if is_held_first:
        hold_id = await given_hold(tx, books, 60_500, **of_survivor(books))
        paid = await one(tx, (post_holds, post(books, hold_id, **of_survivor(books))))
    else:
        paid = await one(tx, (debit_stored_value, debit(books, 60_500, **of_survivor(books))))
    assert paid.balance_fen == 5_500
    await come_apart(tx, books)
    # 500 of the bonus was the first's; what is left of the principal is the second's.
    assert await wallets(tx, books) == [(0, 500, 0), (5_000, 0, 0)]
    command = reverse(books, paid.transfer_id, **of_survivor(books))

    back = await one(tx, (reverse_debits, command))
    again = await one(tx, (reverse_debits, command))

    assert isinstance(back, Transferred)
    assert (back.amount_fen, back.principal_fen, back.bonus_fen) == (60_500, 55_000, 5_500)
    # What is told is the balance of whoever paid.
    assert back.balance_fen == 10_000
    assert (again.is_replay, again.amount_fen, again.principal_fen) == (True, 60_500, 55_000)
    assert again.balance_fen == 10_000
    assert await wallets(tx, books) == [(50_000, 6_000, 0), (10_000, 0, 0)]
    await assert_sound(tx)


async def test_in_parts_the_last_drawn_comes_back_first(tx: Tx, books: Books) -> None:
    await become_one(tx, books)
    paid = await one(tx, (debit_stored_value, debit(books, 66_000, **of_survivor(books))))
    await come_apart(tx, books)
    assert await wallets(tx, books) == [(0, 0, 0), (0, 0, 0)]

    for amount in (11_000, 55_000):
        await one(
            tx, (reverse_debits, reverse(books, paid.transfer_id, amount, **of_survivor(books)))
        )
        if amount == 11_000:
            assert await wallets(tx, books) == [(0, 1_000, 0), (10_000, 0, 0)]

    assert await wallets(tx, books) == [(50_000, 6_000, 0), (10_000, 0, 0)]
    await assert_sound(tx)


async def test_points_go_home_too(tx: Tx, books: Books) -> None:
    await one(tx, (grant_points, grant(books, 50)))
    await become_one(tx, books)
    spent = await one(tx, (spend_points, spend(books, 30, **of_survivor(books))))
    await come_apart(tx, books)
    assert [points for *_, points in await wallets(tx, books)] == [20, 0]

    await one(tx, (reverse_points, reverse(books, spent.transfer_id, **of_survivor(books))))

    assert [points for *_, points in await wallets(tx, books)] == [50, 0]
    await assert_sound(tx)


async def test_while_they_are_one_it_stays_with_both(tx: Tx, books: Books) -> None:
    await become_one(tx, books)
    paid = await one(tx, (debit_stored_value, debit(books, 60_500, **of_survivor(books))))

    back = await one(tx, (reverse_debits, reverse(books, paid.transfer_id, **of_survivor(books))))

    assert back.balance_fen == 66_000
    assert await wallets(tx, books) == [(0, 0, 0), (60_000, 6_000, 0)]
    await come_apart(tx, books)
    assert await wallets(tx, books) == [(50_000, 6_000, 0), (10_000, 0, 0)]


async def test_of_somebody_who_left_since_it_stays_with_who_paid(tx: Tx, books: Books) -> None:
    await become_one(tx, books)
    paid = await one(tx, (debit_stored_value, debit(books, 66_000, **of_survivor(books))))
    await come_apart(tx, books)
    await close_accounts(tx, member_ids=[MemberId(books.member_id)], now=LATER)

    back = await one(tx, (reverse_debits, reverse(books, paid.transfer_id, **of_survivor(books))))

    assert back.balance_fen == 66_000
    assert await wallets(tx, books) == [(0, 0, 0), (60_000, 6_000, 0)]
    await assert_sound(tx)

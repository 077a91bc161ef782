"""Holds, reversals and refunds: exact lots, exact fen, and refusals that move nothing."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from o2o.crm.members import Member
from o2o.crm.organisation import Tier
from o2o.crm.statuses import MemberStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import StoreId, TransferId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import DrawOrder, Transferred, debit_stored_value
from o2o.ledger.actions.end_holds import expire_holds, post_holds, void_holds
from o2o.ledger.actions.grant_points import PointsMoved, grant_points
from o2o.ledger.actions.hold_stored_value import hold_stored_value
from o2o.ledger.actions.merge_wallets import merge_wallets, unmerge_wallets
from o2o.ledger.actions.refund_stored_value import refund_stored_value
from o2o.ledger.actions.reverse_transfers import reverse_debits, reverse_points, reverse_top_ups
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.errors import (
    AlreadyReversed,
    AlreadySpent,
    HoldEnded,
    HoldNotFound,
    HoldTooLong,
    InsufficientBalance,
    NothingToRefund,
    NotReversible,
    RefundTooLate,
    TransferNotFound,
)
from o2o.ledger.queries import Wallet, get_wallet
from o2o.ledger.queries.refunds import quote_refunds
from tests.factories.ledger import (
    Books,
    debit,
    everything,
    given_books,
    given_top_up,
    grant,
    rows,
    spend,
    top_up,
)
from tests.factories.movements import (
    HOLD_ENDS,
    LATER,
    given_hold,
    hold,
    post,
    refund,
    reverse,
    void,
)
from tests.fakes.clock import NOON


@pytest.fixture
async def books(tx: Tx) -> Books:
    """500.00 paid in and 60.00 given, on the first member's card."""
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=50_000, bonus_fen=6_000)
    return books


async def only(tx: Tx, action: Any, command: Any, **options: Any) -> Any:
    [result] = await action(tx, [command], **options)
    return result


async def refused(tx: Tx, action: Any, command: Any) -> Fact:
    """The fact that stood in the way of a command, which left nothing behind."""
    before = await everything(tx)
    result = await only(tx, action, command)
    assert await everything(tx) == before
    assert isinstance(result, Fact), result
    return result


async def wallet(tx: Tx, books: Books) -> Wallet:
    return await get_wallet(tx, books.member_id)


async def test_a_hold_is_set_aside_in_its_shares_and_cannot_be_spent(tx: Tx, books: Books) -> None:
    held = await only(tx, hold_stored_value, hold(books, 8_800))

    assert (held.amount_fen, held.balance_fen, held.expires_at) == (8_800, 47_200, HOLD_ENDS)
    assert await wallet(tx, books) == Wallet(
        balance_fen=47_200, principal_fen=42_143, bonus_fen=5_057, points=0, held_fen=8_800
    )
    fact = await refused(tx, debit_stored_value, debit(books, 47_201))
    assert isinstance(fact, InsufficientBalance)


async def test_a_hold_is_posted_in_part_and_the_rest_goes_back(tx: Tx, books: Books) -> None:
    hold_id = await given_hold(tx, books, 8_800)

    sold = await only(tx, post_holds, post(books, hold_id, 5_000))

    # 5,000 · 7,857 / 8,800 = 4,464.2
    assert (sold.amount_fen, sold.principal_fen, sold.bonus_fen) == (5_000, 4_464, 536)
    assert sold.balance_fen == 51_000
    assert (await wallet(tx, books)).held_fen == 0
    assert isinstance(await refused(tx, void_holds, void(books, hold_id)), HoldEnded)


async def test_a_hold_of_principal_first_is_posted_principal_first(tx: Tx, books: Books) -> None:
    command = hold(books, 53_000)
    held = await only(tx, hold_stored_value, command, order=DrawOrder.PRINCIPAL_FIRST)

    sold = await only(tx, post_holds, post(books, held.hold_id, 51_000))

    assert (sold.principal_fen, sold.bonus_fen) == (50_000, 1_000)


async def test_a_voided_and_an_expired_hold_leave_the_card_as_it_was(tx: Tx, books: Books) -> None:
    before = await rows(tx, "SELECT id, remaining FROM ledger_lots ORDER BY id")
    await only(tx, void_holds, void(books, await given_hold(tx, books, 777)))
    late = await given_hold(tx, books, 888)

    assert await expire_holds(tx, now=HOLD_ENDS - timedelta(seconds=1), limit=9) == 0
    over = await refused(tx, post_holds, post(books, late, now=HOLD_ENDS))
    assert isinstance(over, HoldEnded)
    assert await expire_holds(tx, now=HOLD_ENDS, limit=9) == 1

    assert await rows(tx, "SELECT id, remaining FROM ledger_lots ORDER BY id") == before


async def test_holds_are_found_by_their_member_and_store_alone(tx: Tx, books: Books) -> None:
    hold_id = await given_hold(tx, books)

    for stranger in (
        post(books, hold_id, member_id=books.other_member_id),
        post(books, hold_id, store_id=books.other_store_id),
        post(books, TransferId(new_id())),
    ):
        assert isinstance(await refused(tx, post_holds, stranger), HoldNotFound)
    assert isinstance(await refused(tx, post_holds, post(books, hold_id, 1_001)), Fact)


@pytest.mark.parametrize("ends", [LATER, LATER + timedelta(days=30, seconds=1)])
async def test_a_hold_ends_soon_but_not_in_the_past(tx: Tx, books: Books, ends: Any) -> None:
    fact = await refused(tx, hold_stored_value, hold(books, expires_at=ends))

    assert isinstance(fact, HoldTooLong)


async def test_a_debit_goes_back_to_its_lots_in_parts_that_sum_to_it(tx: Tx, books: Books) -> None:
    paid = await only(tx, debit_stored_value, debit(books, 8_800))
    parts = [
        await only(tx, reverse_debits, reverse(books, paid.transfer_id, amount))
        for amount in (3_333, 1, None)
    ]

    assert [part.amount_fen for part in parts] == [3_333, 1, 5_466]
    assert sum(part.principal_fen for part in parts) == 7_857
    assert (await wallet(tx, books)).bonus_fen == 6_000
    fact = await refused(tx, reverse_debits, reverse(books, paid.transfer_id, 1))
    assert isinstance(fact, AlreadyReversed)


async def test_a_mistaken_top_up_goes_with_its_bonus_unless_it_was_spent(tx: Tx) -> None:
    books = await given_books(tx)
    done = await only(tx, top_up_stored_value, top_up(books, principal_fen=1_000, bonus_fen=333))

    part = await only(tx, reverse_top_ups, reverse(books, done.transfer_id, 500))
    assert (part.principal_fen, part.bonus_fen, part.balance_fen) == (500, 166, 667)
    await only(tx, debit_stored_value, debit(books, 1))
    fact = await refused(tx, reverse_top_ups, reverse(books, done.transfer_id))
    assert isinstance(fact, AlreadySpent)
    [(tender,)] = await rows(
        tx, "SELECT tender FROM ledger_transfers WHERE kind = 'top_up_reversed'"
    )
    assert tender == "cash"


async def test_only_the_owner_s_transfers_of_the_right_kind_go_back(tx: Tx, books: Books) -> None:
    paid = await only(tx, debit_stored_value, debit(books, 100))
    back = await only(tx, reverse_debits, reverse(books, paid.transfer_id, 10))
    stranger = reverse(books, paid.transfer_id, member_id=books.other_member_id)
    no_store = reverse(books, paid.transfer_id, store_id=StoreId(new_id()))

    assert isinstance(await refused(tx, reverse_debits, stranger), TransferNotFound)
    assert (await refused(tx, reverse_debits, no_store)).code == "ledger.account_not_found"
    again = await refused(tx, reverse_debits, reverse(books, back.transfer_id))
    assert isinstance(again, NotReversible)
    wrong = await refused(tx, reverse_top_ups, reverse(books, paid.transfer_id))
    assert isinstance(wrong, NotReversible)


async def test_earned_points_are_taken_back_as_far_as_they_are_there(tx: Tx, books: Books) -> None:
    earned = await only(tx, grant_points, grant(books, 100))
    await only(tx, grant_points, grant(books, 20, now=LATER))
    spent = await only(tx, spend_points, spend(books, 90, now=LATER))

    back = await only(tx, reverse_points, reverse(books, earned.transfer_id))
    assert (back.points, back.points_balance) == (30, 0)
    await only(tx, reverse_points, reverse(books, spent.transfer_id, 40))
    rest = await only(tx, reverse_points, reverse(books, earned.transfer_id))
    assert isinstance(rest, PointsMoved)
    assert rest.points == 40
    gone = await refused(tx, reverse_points, reverse(books, earned.transfer_id))
    assert isinstance(gone, AlreadySpent)


async def test_a_refund_is_what_is_left_of_the_principal(tx: Tx, books: Books) -> None:
    later = NOON + timedelta(days=5)
    second = await only(tx, top_up_stored_value, top_up(books, principal_fen=10_000, now=later))
    await only(tx, debit_stored_value, debit(books, 8_800, now=later))
    now = NOON + timedelta(days=8)

    quote = await quote_refunds(tx, books.member_id, now=now)

    assert [(line.refund_fen, line.forfeited_bonus_fen) for line in quote.lines] == [
        (quote.total_refund_fen - 10_000, quote.total_forfeited_fen),
        (10_000, 0),
    ]
    assert [line.is_without_reason for line in quote.lines] == [False, True]
    old = refund(books, quote.lines[0].top_up_id, within_days=7, now=now)
    assert isinstance(await refused(tx, refund_stored_value, old), RefundTooLate)
    paid = await only(tx, refund_stored_value, refund(books, within_days=7, now=now))
    assert (paid.principal_fen, paid.bonus_fen) == (10_000, 0)
    again = refund(books, second.transfer_id, now=now)
    assert isinstance(await refused(tx, refund_stored_value, again), TransferNotFound)
    rest = await only(tx, refund_stored_value, refund(books, now=now))
    assert rest.balance_fen == 0
    assert isinstance(await refused(tx, refund_stored_value, refund(books)), NothingToRefund)


async def given_one_became_part_of_the_other(tx: Tx, books: Books) -> None:
    """As membership does it: the wallets and the member's row in one transaction."""
    tier_id = await tx.scalar(select(Tier.id).where(Tier.brand_id == books.brand_id))
    for member_id in (books.other_member_id, books.member_id):
        is_gone = member_id == books.member_id
        tx.add(
            Member(
                id=member_id,
                brand_id=books.brand_id,
                tier_id=tier_id,
                joined_at=NOON,
                status=MemberStatus.MERGED if is_gone else MemberStatus.ACTIVE,
                merged_into_id=books.other_member_id if is_gone else None,
            )
        )
        await tx.flush()
    await merge_wallets(tx, request_id=new_request_id(), now=LATER, **both(books))


def both(books: Books) -> dict[str, Any]:
    return {"from_member_id": books.member_id, "into_member_id": books.other_member_id}


@pytest.mark.parametrize("is_named_as_before", [True, False])
async def test_what_a_merged_member_paid_goes_back_to_whom_they_became(
    tx: Tx, books: Books, is_named_as_before: bool
) -> None:
    paid = await only(tx, debit_stored_value, debit(books, 8_800))
    await given_one_became_part_of_the_other(tx, books)
    member_id = books.member_id if is_named_as_before else books.other_member_id
    command = reverse(books, paid.transfer_id, member_id=member_id)

    back = await only(tx, reverse_debits, command)

    assert (back.amount_fen, back.principal_fen, back.balance_fen) == (8_800, 7_857, 56_000)
    again = await only(tx, reverse_debits, command)
    assert isinstance(again, Transferred)
    assert (again.is_replay, again.amount_fen, again.bonus_fen) == (True, 8_800, 943)
    assert again.balance_fen == 56_000
    assert (await wallet(tx, books)).balance_fen == 0
    await tx.execute(text("UPDATE members SET status = 'active', merged_into_id = NULL"))
    await unmerge_wallets(tx, request_id=new_request_id(), now=LATER, **both(books))
    assert (await wallet(tx, books)).principal_fen == 50_000


async def test_a_merged_member_s_top_up_is_taken_out_of_the_pocket_where_it_is(
    tx: Tx, books: Books
) -> None:
    [(top_up_id,)] = await rows(tx, "SELECT id FROM ledger_transfers WHERE kind = 'top_up'")
    await given_one_became_part_of_the_other(tx, books)
    command = reverse(books, top_up_id, member_id=books.other_member_id)

    gone = await only(tx, reverse_top_ups, command)

    assert (gone.principal_fen, gone.bonus_fen, gone.balance_fen) == (50_000, 6_000, 0)

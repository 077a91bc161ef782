"""The verification of holds, reversals and value that changed hands: sound, and damaged."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from o2o.crm.statuses import Asset, LotKind, TransferKind
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.kernel.ids import TransferId, new_request_id
from o2o.ledger.actions.adjust_balance import adjust_balance
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.actions.donate_points import donate_points
from o2o.ledger.actions.end_holds import expire_holds, post_holds, void_holds
from o2o.ledger.actions.enter_opening_balances import enter_opening_balances
from o2o.ledger.actions.expire_points import expire_points
from o2o.ledger.actions.grant_points import grant_points
from o2o.ledger.actions.merge_wallets import merge_wallets, unmerge_wallets
from o2o.ledger.actions.pass_on_stored_value import pass_on_stored_value
from o2o.ledger.actions.refund_stored_value import refund_stored_value
from o2o.ledger.actions.reverse_transfers import reverse_debits, reverse_points, reverse_top_ups
from o2o.ledger.actions.spend_points import spend_points
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.queries.checks import CHECKS
from o2o.ledger.verify import verify_ledger
from tests.factories.damages import BELOW_ZERO, DAMAGES, LATER_DAMAGES
from tests.factories.ledger import (
    Books,
    debit,
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
    adjust,
    donate,
    given_hold,
    opening,
    pass_on,
    post,
    refund,
    reverse,
    void,
)


def done(results: Sequence[Any]) -> TransferId:
    """The last thing that was done; all of them were."""
    assert not [result for result in results if isinstance(result, Exception)], results
    return results[-1].transfer_id  # type: ignore[no-any-return]


async def given_money_moved(tx: Tx, books: Books) -> None:
    other: dict[str, Any] = {"member_id": books.other_member_id}
    await enter_opening_balances(
        tx,
        [opening(books, principal_fen=900, bonus_fen=90, points=9)],
        brand_id=books.brand_id,
        staff_id=None,
        points_expire_at=None,
        now=LATER,
    )
    await given_top_up(tx, books, principal_fen=50_000, bonus_fen=6_000)
    mistake = done(await top_up_stored_value(tx, [top_up(books, principal_fen=700, bonus_fen=70)]))
    done(await reverse_top_ups(tx, [reverse(books, mistake, 300), reverse(books, mistake)]))
    done(await debit_stored_value(tx, [debit(books, 99)]))
    paid = done(await debit_stored_value(tx, [debit(books, 8_800)]))
    done(await reverse_debits(tx, [reverse(books, paid, 3_000)]))
    sold = done(await post_holds(tx, [post(books, await given_hold(tx, books, 5_000), 4_000)]))
    done(await reverse_debits(tx, [reverse(books, sold, 1_000, store_id=books.other_store_id)]))
    done(await void_holds(tx, [void(books, await given_hold(tx, books))]))
    await given_hold(tx, books, 777, expires_at=LATER.replace(hour=5, minute=0))
    assert await expire_holds(tx, now=HOLD_ENDS, limit=9) == 1
    done(await pass_on_stored_value(tx, [pass_on(books, 4_000)]))
    done(await adjust_balance(tx, [adjust(books, 50, lot_kind=LotKind.BONUS), adjust(books, -40)]))
    done(await top_up_stored_value(tx, [top_up(books, **other)]))
    done(await refund_stored_value(tx, [refund(books, within_days=7, **other)]))


async def given_points_moved(tx: Tx, books: Books) -> None:
    points: dict[str, Any] = {"asset": Asset.POINTS, "lot_kind": LotKind.POINTS}
    earned = done(await grant_points(tx, [grant(books, 100), grant(books, 50)]))
    done(await grant_points(tx, [grant(books, 20, expires_at=HOLD_ENDS)]))
    spent = done(await spend_points(tx, [spend(books, 30)]))
    done(await reverse_points(tx, [reverse(books, spent, 10), reverse(books, earned, 40)]))
    done(await donate_points(tx, [donate(books, 15)]))
    done(await adjust_balance(tx, [adjust(books, 5, **points), adjust(books, -3, **points)]))
    assert await expire_points(tx, now=HOLD_ENDS, limit=9) == 1


async def given_everything(sessions: SessionFactory) -> Books:
    """Every kind of movement, two members who became one and came apart, and an open hold."""
    async with transaction(sessions) as tx:
        books = await given_books(tx)
        await given_money_moved(tx, books)
        await given_points_moved(tx, books)
        both: dict[str, Any] = {
            "from_member_id": books.member_id,
            "into_member_id": books.other_member_id,
        }
        await merge_wallets(tx, request_id=new_request_id(), now=LATER, **both)
        done(await debit_stored_value(tx, [debit(books, 5_000, member_id=books.other_member_id)]))
        await unmerge_wallets(tx, request_id=new_request_id(), now=LATER, **both)
        await given_hold(tx, books, 600)
    return books


async def test_books_with_every_kind_of_movement_pass(sessions: SessionFactory) -> None:
    await given_everything(sessions)

    verdict = await verify_ledger(sessions)

    assert verdict.faults == []
    assert verdict.is_sound
    async with sessions() as tx:
        kinds = {kind for (kind,) in await rows(tx, "SELECT DISTINCT kind FROM ledger_transfers")}
    assert kinds == {kind.value for kind in TransferKind}


@pytest.mark.parametrize("name", LATER_DAMAGES)
async def test_each_damage_is_found(sessions: SessionFactory, name: str) -> None:
    statement, checks = LATER_DAMAGES[name]
    await given_everything(sessions)
    async with transaction(sessions) as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text(statement))

    verdict = await verify_ledger(sessions)

    assert {fault for fault, count in verdict.fault_counts.items() if count} == checks


async def test_damages_cover_every_check() -> None:
    found = [checks for _, checks in (*DAMAGES.values(), *LATER_DAMAGES.values())]
    assert BELOW_ZERO.union(*found) == set(CHECKS)

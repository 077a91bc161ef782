"""Nothing comes into the pockets of a member who left, whatever was under way at that moment."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, StoreId, new_request_id
from o2o.ledger.actions.debit_stored_value import (
    DebitStoredValue,
    Transferred,
    debit_stored_value,
)
from o2o.ledger.errors import AccountNotFound
from o2o.ledger.verify import verify_ledger
from o2o.membership.actions.delete_member import delete_member
from o2o.membership.actions.earn_points import settle_points
from o2o.membership.desk import Desk
from o2o.membership.errors import MemberNotFound
from o2o.membership.scanners import ByKey
from o2o.membership.till import Till
from tests.factories.members import Counter, balance_of, count
from tests.fakes.clock import FakeClock

HOLDINGS = "coalesce(balance, 0) > 0 AND owner_id = '{0}'"


async def pay(sessions: SessionFactory, counter: Counter, clock: FakeClock) -> Transferred:
    async with transaction(sessions) as tx:
        [paid] = await debit_stored_value(
            tx,
            [
                DebitStoredValue(
                    request_id=new_request_id(),
                    member_id=counter.member_id,
                    store_id=StoreId(counter.store.id),
                    amount_fen=4_000,
                    now=clock.now(),
                )
            ],
        )
    assert isinstance(paid, Transferred)
    return paid


async def leave(sessions: SessionFactory, member_id: UUID, clock: FakeClock) -> None:
    async with transaction(sessions) as tx:
        await delete_member(tx, member_id=member_id, gives_up_balance=True, now=clock.now())


async def until_somebody_waits(sessions: SessionFactory) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND cardinality(pg_blocking_pids(pid)) > 0"
    )
    while True:
        async with sessions() as tx:
            if await tx.scalar(waiting):
                return
        await asyncio.sleep(0.01)


async def test_a_charge_of_before_is_not_given_back_to_nobody(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    desk = Desk(sessions=sessions, seal=seal, clock=clock)
    paid = await pay(sessions, counter, clock)
    reversal: dict[str, Any] = {
        "transfer_id": paid.transfer_id,
        "reason": "x",
        "key_id": counter.key.key_id,
        "brand_id": counter.key.brand_id,
    }
    part: dict[str, Any] = {"request_id": new_request_id(), "amount_fen": 1_000}
    first = await desk.reverse("debit", **part, **reversal)
    await leave(sessions, counter.member_id, clock)

    with pytest.raises(AccountNotFound):
        await desk.reverse("debit", request_id=new_request_id(), amount_fen=None, **reversal)
    again = await desk.reverse("debit", **part, **reversal)

    assert (again.transfer_id, again.is_replay) == (first.transfer_id, True)
    assert await count(sessions, "ledger_accounts", HOLDINGS.format(counter.member_id)) == 0
    assert (await verify_ledger(sessions)).is_sound


async def test_what_is_closed_stays_empty_whoever_writes(
    sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    await leave(sessions, counter.member_id, clock)

    with pytest.raises(IntegrityError, match="closed_is_empty"):
        async with transaction(sessions) as tx:
            await tx.execute(
                text("UPDATE ledger_accounts SET balance = 1 WHERE owner_id = :id"),
                {"id": counter.member_id},
            )


@pytest.mark.parametrize("what", ["top_up", "points", "reversal"])
async def test_what_waits_for_a_deletion_finds_nobody(
    what: str, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    desk = Desk(sessions=sessions, seal=seal, clock=clock)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    paid = await pay(sessions, counter, clock)
    by: ByKey = counter.key
    asked: dict[str, Callable[[], Any]] = {
        "top_up": lambda: till.top_up(
            request_id=new_request_id(),
            member_id=counter.member_id,
            principal_fen=500,
            bonus_fen=0,
            tender=Tender.CASH,
            by=by,
        ),
        "points": lambda: desk.move_points(
            request_id=new_request_id(),
            member_id=counter.member_id,
            delta=5,
            store_id=by.store_id,
            reason="x",
            key_id=by.key_id,
            brand_id=by.brand_id,
        ),
        "reversal": lambda: desk.reverse(
            "debit",
            request_id=new_request_id(),
            transfer_id=paid.transfer_id,
            amount_fen=None,
            reason="x",
            key_id=by.key_id,
            brand_id=by.brand_id,
        ),
    }
    async with transaction(sessions) as tx:
        await delete_member(tx, member_id=counter.member_id, gives_up_balance=True, now=clock.now())
        task = asyncio.ensure_future(asked[what]())
        await asyncio.wait_for(until_somebody_waits(sessions), timeout=30)

    with pytest.raises((MemberNotFound, AccountNotFound)):
        await task
    assert await count(sessions, "ledger_accounts", HOLDINGS.format(counter.member_id)) == 0


async def test_points_of_a_charge_neither_meet_a_deletion_crosswise_nor_outlive_it(
    sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    """Whoever settles holds the member before the pockets, as whoever deletes does."""
    member_id: MemberId = counter.member_id
    paid = await pay(sessions, counter, clock)

    async def settle() -> Fact | None:
        try:
            async with transaction(sessions) as tx:
                await settle_points(tx, paid.transfer_id, now=clock.now())
        except Fact as fact:
            return fact
        return None

    async with transaction(sessions) as tx:
        await tx.execute(text("SELECT 1 FROM members WHERE id = :id FOR UPDATE"), {"id": member_id})
        task = asyncio.create_task(settle())
        await asyncio.wait_for(until_somebody_waits(sessions), timeout=30)
        # With the member in hand a deletion gets the pockets too: nobody has them already.
        await tx.execute(
            text("SELECT 1 FROM ledger_accounts WHERE owner_id = :id FOR UPDATE NOWAIT"),
            {"id": member_id},
        )
        await delete_member(tx, member_id=member_id, gives_up_balance=True, now=clock.now())

    assert await task is None
    assert await count(sessions, "points_earnings") == 0
    assert await count(sessions, "ledger_accounts", HOLDINGS.format(member_id)) == 0
    assert await balance_of(sessions, member_id) == 0

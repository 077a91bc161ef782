"""Corrections: one proposes, another decides, once; everything else moves nothing."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.crm.statuses import Asset, LotKind
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id, new_request_id
from o2o.ledger.errors import AmountOutOfRange, BalanceLimitExceeded, InsufficientPoints
from o2o.membership.actions.approve_adjustment import approve_adjustment, reject_adjustment
from o2o.membership.actions.expire_proposals import expire_proposals
from o2o.membership.actions.propose_adjustment import (
    ProposeAdjustment,
    propose_adjustment,
    withdraw_adjustment,
)
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_programme import (
    AdjustmentAlreadyDecided,
    AdjustmentExpired,
    AdjustmentNotFound,
    MoneyOverDailyLimit,
    NotTheProposer,
    OwnProposal,
    PointsOverDailyLimit,
    ReasonMissing,
)
from o2o.staff.actions.create_staff import RoleAt
from o2o.web.errors import RoleMissing
from tests.factories.members import Counter, balance_of, count, given_counter
from tests.factories.programme import People, points_of
from tests.fakes.clock import NOON


def proposal(at: Counter, by: UUID, **changes: Any) -> ProposeAdjustment:
    return msgspec.structs.replace(
        ProposeAdjustment(
            request_id=new_request_id(),
            brand_id=at.brand.id,
            member_id=at.member_id,
            store_id=at.store.id,
            asset=Asset.POINTS,
            delta=200,
            lot_kind=LotKind.POINTS,
            reason="十一月三日漏记积分",
            staff_id=by,
        ),
        **changes,
    )


async def propose(sessions: SessionFactory, command: ProposeAdjustment, **at: Any) -> UUID:
    async with transaction(sessions) as tx:
        return await propose_adjustment(tx, command, now=at.get("now", NOON))


async def approve(
    sessions: SessionFactory, at: Counter, adjustment_id: UUID, by: UUID, **when: Any
) -> Fact | None:
    try:
        async with transaction(sessions) as tx:
            await approve_adjustment(
                tx,
                adjustment_id,
                brand_id=at.brand.id,
                staff_id=by,
                now=when.get("now", NOON),
            )
    except Fact as fact:
        return fact
    return None


async def reject(
    sessions: SessionFactory, at: Counter, adjustment_id: UUID, by: UUID
) -> Fact | None:
    try:
        async with transaction(sessions) as tx:
            await reject_adjustment(
                tx,
                adjustment_id,
                brand_id=at.brand.id,
                staff_id=by,
                why="与小票不符",
                now=NOON,
            )
    except Fact as fact:
        return fact
    return None


async def status_of(sessions: SessionFactory, adjustment_id: UUID) -> str:
    async with sessions() as tx:
        return str(
            await tx.scalar(
                text("SELECT status FROM adjustments WHERE id = :id"), {"id": adjustment_id}
            )
        )


async def test_approved_it_moves_once_and_the_member_is_told(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    done = await propose(sessions, proposal(counter, people.agent))
    assert await points_of(sessions, counter.member_id) == 0
    assert await approve(sessions, counter, done, people.finance) is None
    assert await approve(sessions, counter, done, people.finance) is None
    again = await approve(sessions, counter, done, people.other_finance)
    assert isinstance(again, AdjustmentAlreadyDecided)
    assert await points_of(sessions, counter.member_id) == 200
    assert await count(sessions, "ledger_transfers", f"request_id = '{done}'") == 1
    assert await count(sessions, "outbox_messages", "topic = 'adjustment.approved'") == 1
    actions = ("adjustment.proposed", "adjustment.approved")
    assert [await count(sessions, "audit_entries", f"action = '{a}'") for a in actions] == [1, 1]


async def test_money_goes_up_and_down_in_its_own_kind(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    money = {"asset": Asset.CNY_FEN, "lot_kind": LotKind.PRINCIPAL}
    up = await propose(sessions, proposal(counter, people.manager, delta=-5_000, **money))
    assert await approve(sessions, counter, up, people.finance) is None
    assert await balance_of(sessions, counter.member_id) == 195_000
    more = {"asset": Asset.CNY_FEN, "lot_kind": LotKind.BONUS, "delta": 1_000}
    down = await propose(sessions, proposal(counter, people.manager, **more))
    assert await approve(sessions, counter, down, people.finance) is None
    assert await balance_of(sessions, counter.member_id) == 195_000 + 1_000


async def test_approved_and_rejected_at_once_one_of_them_holds(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    for _ in range(5):
        before = await points_of(sessions, counter.member_id)
        done = await propose(sessions, proposal(counter, people.agent, delta=10))
        outcomes = await asyncio.gather(
            approve(sessions, counter, done, people.finance),
            reject(sessions, counter, done, people.other_finance),
            approve(sessions, counter, done, people.other_finance),
        )
        assert sum(outcome is None for outcome in outcomes) == 1
        moved = await points_of(sessions, counter.member_id) - before
        assert moved == (10 if await status_of(sessions, done) == "approved" else 0)


async def test_whoever_proposes_does_not_decide(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    both = await _both_roles(sessions, counter)
    done = await propose(sessions, proposal(counter, both))
    assert isinstance(await approve(sessions, counter, done, both), OwnProposal)
    assert isinstance(await reject(sessions, counter, done, both), OwnProposal)
    assert await status_of(sessions, done) == "proposed"
    # Nor does the table let it happen.
    with pytest.raises(IntegrityError, match="decided_by_another"):
        async with transaction(sessions) as tx:
            await tx.execute(
                text(
                    "UPDATE adjustments SET status = 'rejected', decided_at = :now,"
                    " decided_by = proposed_by"
                ),
                {"now": NOON},
            )


async def _both_roles(sessions: SessionFactory, at: Counter) -> UUID:
    from o2o.crm.statuses import StaffRoleName  # noqa: PLC0415
    from o2o.infra.audit import SYSTEM  # noqa: PLC0415
    from o2o.staff.actions.create_staff import create_staff  # noqa: PLC0415

    async with transaction(sessions) as tx:
        return await create_staff(
            tx,
            brand_id=at.brand.id,
            login="both",
            name="兼任",
            roles=[RoleAt(StaffRoleName.SERVICE), RoleAt(StaffRoleName.FINANCE)],
            password_hash=None,
            pin_hash=None,
            actor=SYSTEM,
            now=NOON,
        )


async def test_roles_and_stores_bound_who_proposes_and_decides(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    money = {"asset": Asset.CNY_FEN, "lot_kind": LotKind.PRINCIPAL, "delta": 100}
    refused = [
        proposal(counter, people.agent, **money),
        proposal(counter, people.clerk),
        proposal(counter, people.marketer),
        proposal(counter, people.finance),
        proposal(counter, people.store_manager, store_id=counter.far_store.id),
        proposal(counter, people.store_manager, store_id=None),
        proposal(counter, new_id()),
    ]
    for command in refused:
        with pytest.raises(RoleMissing):
            await propose(sessions, command)
    done = await propose(sessions, proposal(counter, people.store_manager, **money))
    for person in (people.manager, people.agent, people.marketer):
        assert isinstance(await approve(sessions, counter, done, person), RoleMissing)
    assert await count(sessions, "adjustments") == 1
    assert await balance_of(sessions, counter.member_id) == 200_000


async def test_another_brand_sees_and_moves_nothing(
    sessions: SessionFactory, counter: Counter, people: People, seal: Seal
) -> None:
    other = await given_counter(sessions, seal=seal)
    done = await propose(sessions, proposal(counter, people.agent))
    with pytest.raises(RoleMissing):
        await propose(sessions, proposal(other, people.agent))
    with pytest.raises(MemberNotFound):
        await propose(sessions, proposal(counter, people.agent, member_id=other.member_id))
    assert isinstance(await approve(sessions, other, done, people.finance), AdjustmentNotFound)
    assert await status_of(sessions, done) == "proposed"


async def test_a_person_proposes_so_much_a_day(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    first = await propose(sessions, proposal(counter, people.agent, delta=400))
    with pytest.raises(PointsOverDailyLimit) as raised:
        await propose(sessions, proposal(counter, people.agent, delta=-101))
    assert raised.value.detail == {"limit": 500, "left": 100}
    # Of two at once that fit only one by one, one is refused.
    two = [proposal(counter, people.agent, delta=60) for _ in range(2)]
    done = await asyncio.gather(*(propose(sessions, one) for one in two), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["PointsOverDailyLimit", "UUID"]
    # What was rejected does not count, and a day later the limit is whole again.
    await reject(sessions, counter, first, people.finance)
    await propose(sessions, proposal(counter, people.agent, delta=400))
    tomorrow = NOON + timedelta(days=1)
    await propose(sessions, proposal(counter, people.agent, delta=500), now=tomorrow)
    money = {"asset": Asset.CNY_FEN, "lot_kind": LotKind.BONUS}
    with pytest.raises(MoneyOverDailyLimit):
        await propose(sessions, proposal(counter, people.manager, delta=500_001, **money))


async def test_what_cannot_be_carried_out_stays_open(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    taken = await propose(sessions, proposal(counter, people.agent, delta=-1))
    assert isinstance(await approve(sessions, counter, taken, people.finance), InsufficientPoints)
    money = {"asset": Asset.CNY_FEN, "lot_kind": LotKind.BONUS, "delta": 300_001}
    full = await propose(sessions, proposal(counter, people.manager, **money))
    over = await approve(sessions, counter, full, people.finance)
    assert isinstance(over, BalanceLimitExceeded)
    assert await status_of(sessions, taken) == await status_of(sessions, full) == "proposed"
    assert await balance_of(sessions, counter.member_id) == 200_000


async def test_after_a_week_it_is_over(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    done = await propose(sessions, proposal(counter, people.agent))
    week = NOON + timedelta(days=7)
    late = await approve(sessions, counter, done, people.finance, now=week)
    assert isinstance(late, AdjustmentExpired)
    async with transaction(sessions) as tx:
        await expire_proposals(tx, week - timedelta(seconds=1))
    assert await status_of(sessions, done) == "proposed"
    async with transaction(sessions) as tx:
        await expire_proposals(tx, week)
    assert await status_of(sessions, done) == "expired"
    assert isinstance(await reject(sessions, counter, done, people.finance), AdjustmentExpired)
    assert await points_of(sessions, counter.member_id) == 0


async def test_the_proposer_takes_it_back_once(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    done = await propose(sessions, proposal(counter, people.agent))

    async def withdraw(by: UUID) -> None:
        async with transaction(sessions) as tx:
            await withdraw_adjustment(tx, done, brand_id=counter.brand.id, staff_id=by, now=NOON)

    with pytest.raises(NotTheProposer):
        await withdraw(people.manager)
    await withdraw(people.agent)
    await withdraw(people.agent)
    late = await approve(sessions, counter, done, people.finance)
    assert isinstance(late, AdjustmentAlreadyDecided)
    assert await points_of(sessions, counter.member_id) == 0


async def test_the_same_request_is_one_proposal_and_another_body_is_refused(
    sessions: SessionFactory, counter: Counter, people: People
) -> None:
    command = proposal(counter, people.agent)
    assert await propose(sessions, command) == await propose(sessions, command)
    with pytest.raises(RequestBodyDiffers):
        await propose(sessions, msgspec.structs.replace(command, delta=201))
    assert await count(sessions, "adjustments") == 1
    for wrong, fact in (
        ({"reason": "  短 "}, ReasonMissing),
        ({"delta": 0}, AmountOutOfRange),
        ({"member_id": new_id()}, MemberNotFound),
    ):
        with pytest.raises(fact):
            await propose(sessions, proposal(counter, people.agent, **wrong))

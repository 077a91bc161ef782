"""Money at the counter: only inside a live visit of member, pad and store; else nothing moves."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.members import Member
from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id, new_request_id
from o2o.ledger.errors import AmountOutOfRange, BalanceLimitExceeded, InsufficientBalance
from o2o.membership.actions.close_visit import close_visit
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.errors import (
    CodeExpired,
    CodeUnknown,
    CodeUsed,
    DebitOverLimit,
    MemberNotFound,
    UnattendedNotAllowed,
    UnlikelyTravel,
    VisitExpired,
    VisitNeeded,
    VisitNotYours,
)
from o2o.membership.scanners import AtPad, ByKey
from o2o.membership.till import OpenedVisit, Till, Transferred
from o2o.stores.errors import StoreNotFound, StoreNotOfBrand
from o2o.web.errors import RoleMissing
from tests.factories.members import Counter, balance_of, count, given_counter, given_member
from tests.fakes.clock import FakeClock


async def code(sessions: SessionFactory, seal: Seal, member_id: UUID, clock: FakeClock) -> str:
    async with transaction(sessions) as tx:
        issued = await issue_member_code(tx, seal=seal, member_id=member_id, now=clock.now())
    return issued.code


@pytest.fixture
async def visit(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> OpenedVisit:
    shown = await code(sessions, seal, counter.member_id, clock)
    return await till.open_visit(shown, by=counter.pad)


async def charge(till: Till, at: Counter, **more: Any) -> Transferred:
    asked: dict[str, Any] = {
        "request_id": new_request_id(),
        "member_id": at.member_id,
        "amount_fen": 3_800,
        "by": at.pad,
    }
    return await till.charge(**asked | more)


async def nothing_moved(sessions: SessionFactory, at: Counter) -> None:
    assert await balance_of(sessions, at.member_id) == 10_000
    assert await count(sessions, "ledger_transfers", "kind = 'debit'") == 0


async def test_a_clerk_charges_inside_the_visit(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit, clock: FakeClock
) -> None:
    done = await charge(till, counter, visit_id=visit.visit_id, reason="午餐")
    assert (done.amount_fen, done.balance_fen, done.is_replay) == (3_800, 6_200, False)
    async with sessions() as tx:
        row = (
            await tx.execute(
                text(
                    "SELECT t.visit_id, t.staff_id, t.api_key_id, t.store_id, n.reason"
                    " FROM ledger_transfers t JOIN ledger_reasons n ON n.transfer_id = t.id"
                    " WHERE t.id = :id"
                ),
                {"id": done.transfer_id},
            )
        ).one()
    assert tuple(row) == (
        visit.visit_id,
        counter.pad.staff_id,
        None,
        counter.store.id,
        "午餐",
    )
    # A second intention in the same visit is fine.
    await charge(till, counter, visit_id=visit.visit_id, amount_fen=200)
    assert await balance_of(sessions, counter.member_id) == 6_000


async def test_sent_again_after_the_visit_it_is_answered_from_the_books(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit, clock: FakeClock
) -> None:
    request_id = new_request_id()
    first = await charge(till, counter, visit_id=visit.visit_id, request_id=request_id)
    clock.advance(minutes=10)
    again = await charge(till, counter, visit_id=visit.visit_id, request_id=request_id)
    assert again == msgspec.structs.replace(first, is_replay=True)
    with pytest.raises(RequestBodyDiffers):
        await charge(
            till, counter, visit_id=visit.visit_id, request_id=request_id, amount_fen=3_801
        )
    assert await balance_of(sessions, counter.member_id) == 6_200


@pytest.mark.parametrize(
    "asked, refusal",
    [
        ({"visit_id": None}, VisitNeeded),
        ({"visit_id": UUID(int=7)}, VisitNotYours),
        ({"amount_fen": 0}, AmountOutOfRange),
        ({"amount_fen": -1}, AmountOutOfRange),
        ({"amount_fen": 10_001}, InsufficientBalance),
        ({"member_id": UUID(int=7)}, MemberNotFound),
    ],
)
async def test_what_may_not_be_charged_moves_nothing(
    sessions: SessionFactory,
    counter: Counter,
    till: Till,
    visit: OpenedVisit,
    asked: dict[str, Any],
    refusal: type[Fact],
) -> None:
    with pytest.raises(refusal):
        await charge(till, counter, **{"visit_id": visit.visit_id} | asked)
    await nothing_moved(sessions, counter)


async def test_a_visit_serves_its_own_pad_store_and_member_only(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit
) -> None:
    async with transaction(sessions) as tx:
        other_member = await given_member(tx, counter.brand)
    for asked in (
        {"by": counter.near_pad},
        {"by": counter.far_pad},
        {"member_id": other_member},
        {"by": msgspec.structs.replace(counter.key, store_id=counter.far_store.id)},
    ):
        with pytest.raises(VisitNotYours):
            await charge(till, counter, visit_id=visit.visit_id, **asked)
    await nothing_moved(sessions, counter)


async def test_after_five_minutes_or_closed_the_visit_is_over(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit, clock: FakeClock
) -> None:
    clock.advance(minutes=5)
    with pytest.raises(VisitExpired):
        await charge(till, counter, visit_id=visit.visit_id)
    clock.advance(minutes=-4)
    async with transaction(sessions) as tx:  # Another pad cannot close it.
        await close_visit(
            tx, visit_id=visit.visit_id, pad_id=counter.near_pad.pad_id, now=clock.now()
        )
    async with transaction(sessions) as tx:
        assert await tx.scalar(text("SELECT closed_at FROM counter_visits")) is None
        await close_visit(tx, visit_id=visit.visit_id, pad_id=counter.pad.pad_id, now=clock.now())
    with pytest.raises(VisitExpired):
        await charge(till, counter, visit_id=visit.visit_id)
    await nothing_moved(sessions, counter)


async def test_a_clerk_whose_role_was_taken_charges_no_more(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE staff_roles SET role = 'kitchen'"))
    with pytest.raises(RoleMissing):
        await charge(till, counter, visit_id=visit.visit_id)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE staff_roles SET role = 'clerk'"))
        await tx.execute(text("UPDATE staff_members SET disabled_at = now()"))
    with pytest.raises(RoleMissing):
        await charge(till, counter, visit_id=visit.visit_id)
    await nothing_moved(sessions, counter)


async def test_a_held_visit_moves_no_money_before_the_yes(
    sessions: SessionFactory,
    seal: Seal,
    counter: Counter,
    till: Till,
    visit: OpenedVisit,
    clock: FakeClock,
) -> None:
    shown = await code(sessions, seal, counter.member_id, clock)
    with pytest.raises(UnlikelyTravel) as refused:
        await till.open_visit(shown, by=counter.far_pad)
    held_id = UUID(refused.value.detail["visit_id"])
    with pytest.raises(UnlikelyTravel):
        await charge(till, counter, by=counter.far_pad, visit_id=held_id)
    await nothing_moved(sessions, counter)


async def test_a_key_charges_with_a_member_code_once(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter.member_id, clock)
    request_id = new_request_id()
    asked = {"by": counter.key, "member_code": shown, "request_id": request_id}
    first = await charge(till, counter, **asked)
    assert first.balance_fen == 6_200
    clock.advance(minutes=2)
    again = await charge(till, counter, **asked)
    assert again == msgspec.structs.replace(first, is_replay=True)
    with pytest.raises(CodeUsed):
        await charge(till, counter, by=counter.key, member_code=shown)
    late = await code(sessions, seal, counter.member_id, clock)
    clock.advance(seconds=61)
    with pytest.raises(CodeExpired):
        await charge(till, counter, by=counter.key, member_code=late)
    assert await balance_of(sessions, counter.member_id) == 6_200


async def test_a_refused_debit_names_the_visit_its_code_opened(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    shown = await code(sessions, seal, counter.member_id, clock)
    with pytest.raises(InsufficientBalance) as refused:
        await charge(till, counter, by=counter.key, member_code=shown, amount_fen=10_001)
    await nothing_moved(sessions, counter)
    visit_id = UUID(refused.value.detail["visit_id"])
    done = await charge(till, counter, by=counter.key, visit_id=visit_id, amount_fen=10_000)
    assert done.balance_fen == 0


@pytest.mark.parametrize("amount_fen", [0, -1, 1_000_000_001, 2**70])
async def test_an_impossible_amount_spends_no_code(
    sessions: SessionFactory,
    seal: Seal,
    counter: Counter,
    till: Till,
    clock: FakeClock,
    amount_fen: int,
) -> None:
    shown = await code(sessions, seal, counter.member_id, clock)
    with pytest.raises(AmountOutOfRange):
        await charge(till, counter, by=counter.key, member_code=shown, amount_fen=amount_fen)
    await nothing_moved(sessions, counter)
    assert await count(sessions, "member_codes", "used_at IS NOT NULL") == 0
    odd = "\x00\ud800 午\u202e餐 "
    await charge(till, counter, by=counter.key, member_code=shown, reason=odd)
    assert await count(sessions, "ledger_reasons", "reason = '午餐'") == 1


async def test_another_members_code_is_unknown_and_not_spent(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        other = await given_member(tx, counter.brand)
    shown = await code(sessions, seal, other, clock)
    with pytest.raises(CodeUnknown):
        await charge(till, counter, by=counter.key, member_code=shown)
    assert await count(sessions, "member_codes", "used_at IS NOT NULL") == 0
    await nothing_moved(sessions, counter)


async def test_a_key_beside_the_pad_may_use_the_pads_visit(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit
) -> None:
    done = await charge(till, counter, by=counter.key, visit_id=visit.visit_id)
    assert done.balance_fen == 6_200
    another_key = msgspec.structs.replace(counter.key, brand_id=new_id())
    with pytest.raises(MemberNotFound):
        await charge(till, counter, by=another_key, visit_id=visit.visit_id)


async def test_unattended_needs_the_scope_and_keeps_the_limit(
    sessions: SessionFactory, counter: Counter, till: Till
) -> None:
    with pytest.raises(UnattendedNotAllowed):
        await charge(till, counter, by=counter.key)
    alone = msgspec.structs.replace(
        counter.key, can_debit_unattended=True, unattended_debit_fen_max=3_800
    )
    with pytest.raises(DebitOverLimit) as refused:
        await charge(till, counter, by=alone, amount_fen=3_801)
    assert refused.value.detail == {"limit_fen": 3_800, "limit_yuan": "38.00"}
    await nothing_moved(sessions, counter)
    assert (await charge(till, counter, by=alone)).balance_fen == 6_200


async def test_stores_and_members_of_other_brands_are_out_of_reach(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    other = await given_counter(sessions, seal=seal)
    group_key = ByKey(
        key_id=counter.key.key_id,
        brand_id=None,
        store_id=other.store.id,
        can_debit_unattended=True,
        unattended_debit_fen_max=100_000,
    )
    cases: list[tuple[ByKey | AtPad, type[Fact]]] = [
        (group_key, StoreNotOfBrand),
        (msgspec.structs.replace(group_key, store_id=new_id()), StoreNotFound),
        (msgspec.structs.replace(group_key, brand_id=other.brand.id), MemberNotFound),
        (other.pad, MemberNotFound),
    ]
    for by, refusal in cases:
        with pytest.raises(refusal):
            await charge(till, counter, by=by)
    await nothing_moved(sessions, counter)


async def test_a_top_up_at_a_pad_needs_the_visit_and_a_key_none(
    sessions: SessionFactory, counter: Counter, till: Till, visit: OpenedVisit
) -> None:
    asked: dict[str, Any] = {
        "member_id": counter.member_id,
        "principal_fen": 20_000,
        "bonus_fen": 2_000,
        "tender": Tender.CASH,
    }
    with pytest.raises(VisitNeeded):
        await till.top_up(request_id=new_request_id(), by=counter.pad, **asked)
    assert await balance_of(sessions, counter.member_id) == 10_000
    at_pad = await till.top_up(
        request_id=new_request_id(), by=counter.pad, visit_id=visit.visit_id, **asked
    )
    assert at_pad.balance_fen == 32_000
    by_key = await till.top_up(request_id=new_request_id(), by=counter.key, **asked)
    assert by_key.balance_fen == 54_000


@pytest.mark.parametrize("is_named, limit_fen", [(False, 100_000), (True, 500_000)])
async def test_a_card_holds_what_its_kind_may(
    sessions: SessionFactory, counter: Counter, till: Till, *, is_named: bool, limit_fen: int
) -> None:
    if is_named:
        async with transaction(sessions) as tx:
            member = await tx.get_one(Member, counter.member_id)
            member.name, member.phone_verified_at = "王小明", member.joined_at
    asked: dict[str, Any] = {
        "member_id": counter.member_id,
        "bonus_fen": 1_000,
        "tender": Tender.CASH,
        "by": counter.key,
    }
    principal = limit_fen - 10_000 - 1_000
    with pytest.raises(BalanceLimitExceeded) as refused:
        await till.top_up(request_id=new_request_id(), principal_fen=principal + 1, **asked)
    assert refused.value.detail["limit_fen"] == limit_fen
    assert await balance_of(sessions, counter.member_id) == 10_000
    done = await till.top_up(request_id=new_request_id(), principal_fen=principal, **asked)
    assert done.balance_fen == limit_fen

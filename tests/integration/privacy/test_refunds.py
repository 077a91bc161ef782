"""Refunds: asked for on the phone, paid by staff, computed anew when the money moves."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.statuses import StaffRoleName, Tender
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, RequestId, StoreId, TransferId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.ledger.queries.refunds import quote_refunds
from o2o.membership.actions.ask_refund import Payee, ask_refund, parse_payee, withdraw_refund
from o2o.membership.actions.merge_members import merge_members
from o2o.membership.actions.refund_stored_value_to_member import (
    PaidRefund,
    pay_refund_at_pad,
    pay_refund_by_bank,
    refuse_refund,
)
from o2o.membership.actions.unmerge_members import unmerge_members
from o2o.membership.errors import VisitNotYours
from o2o.membership.errors_refunds import (
    RefundAlreadyAsked,
    RefundAmountChanged,
    RefundByRight,
    RefundEnded,
    RefundNeedsCode,
    RefundNothingLeft,
    RefundOverLimit,
    RefundPayeeIncomplete,
    RefundRequestNotFound,
    RefundWrongPayout,
)
from o2o.membership.queries.refund_requests import list_open_refund_wishes
from o2o.web.errors import RoleMissing
from tests.factories.members import Counter, balance_of, count, given_counter, given_member
from tests.factories.staff import given_staff
from tests.fakes.clock import FakeClock


async def top_up_of(sessions: SessionFactory, counter: Counter, clock: FakeClock) -> TransferId:
    async with sessions() as tx:
        quote = await quote_refunds(tx, counter.member_id, now=clock.now())
    return quote.lines[0].top_up_id


async def ask(
    sessions: SessionFactory,
    counter: Counter,
    *,
    seal: Seal,
    clock: FakeClock,
    top_up_id: TransferId | None = None,
    payee: Payee | None = None,
    request_id: RequestId | None = None,
) -> UUID:
    async with transaction(sessions) as tx:
        return await ask_refund(
            tx,
            request_id=request_id or new_request_id(),
            member_id=counter.member_id,
            brand_id=counter.brand.id,
            top_up_id=top_up_id,
            payee=payee,
            seal=seal,
            now=clock.now(),
        )


async def given_visit(
    sessions: SessionFactory, counter: Counter, clock: FakeClock, *, via: str = "code"
) -> UUID:
    visit_id = new_id()
    async with transaction(sessions) as tx:
        await tx.execute(
            text(
                "INSERT INTO counter_visits (id, member_id, store_id, pad_id, opened_at,"
                " expires_at, via) VALUES (:id, :member_id, :store_id, :pad_id, :now, :later, :via)"
            ),
            {
                "id": visit_id,
                "member_id": counter.member_id,
                "store_id": counter.store.id,
                "pad_id": counter.pad.pad_id,
                "now": clock.now(),
                "later": clock.now() + timedelta(minutes=5),
                "via": via,
            },
        )
    return visit_id


async def pay(
    sessions: SessionFactory,
    counter: Counter,
    refund_id: UUID,
    visit_id: UUID,
    *,
    clock: FakeClock,
    expected_fen: int = 10_000,
    request_id: RequestId | None = None,
) -> PaidRefund:
    async with transaction(sessions) as tx:
        return await pay_refund_at_pad(
            tx,
            request_id=request_id or new_request_id(),
            refund_id=refund_id,
            visit_id=visit_id,
            expected_fen=expected_fen,
            tender=Tender.CASH,
            by=counter.pad,
            now=clock.now(),
        )


async def charge(
    sessions: SessionFactory, counter: Counter, amount_fen: int, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        [done] = await debit_stored_value(
            tx,
            [
                DebitStoredValue(
                    request_id=new_request_id(),
                    member_id=MemberId(counter.member_id),
                    store_id=StoreId(counter.store.id),
                    amount_fen=amount_fen,
                    now=clock.now(),
                )
            ],
        )
    assert not isinstance(done, Exception), done


async def test_paid_in_the_members_visit_once_however_often_it_is_sent(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    top_up_id = await top_up_of(sessions, counter, clock)
    refund_id = await ask(sessions, counter, seal=seal, clock=clock, top_up_id=top_up_id)
    assert await balance_of(sessions, counter.member_id) == 10_000
    visit_id = await given_visit(sessions, counter, clock)
    request_id = new_request_id()

    paid = await pay(sessions, counter, refund_id, visit_id, clock=clock, request_id=request_id)
    again = await pay(sessions, counter, refund_id, visit_id, clock=clock, request_id=request_id)

    assert (paid.amount_fen, paid.is_replay) == (10_000, False)
    assert (again.transfer_id, again.is_replay) == (paid.transfer_id, True)
    assert await balance_of(sessions, counter.member_id) == 0
    assert await count(sessions, "outbox_messages", "topic = 'refund.decided'") == 1
    with pytest.raises(RefundEnded):
        await pay(sessions, counter, refund_id, visit_id, clock=clock)
    with pytest.raises(RefundNothingLeft):
        await ask(sessions, counter, seal=seal, clock=clock, top_up_id=top_up_id)


async def test_spent_meanwhile_nothing_is_paid_until_the_clerk_saw_it(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    refund_id = await ask(sessions, counter, seal=seal, clock=clock)
    visit_id = await given_visit(sessions, counter, clock)
    await charge(sessions, counter, 4_000, clock)

    with pytest.raises(RefundAmountChanged) as refused:
        await pay(sessions, counter, refund_id, visit_id, clock=clock)

    assert refused.value.detail["refund_fen"] == 6_000
    assert await balance_of(sessions, counter.member_id) == 6_000
    assert await count(sessions, "refund_requests", "status = 'asked'") == 1
    paid = await pay(sessions, counter, refund_id, visit_id, clock=clock, expected_fen=6_000)
    assert paid.amount_fen == 6_000
    assert await balance_of(sessions, counter.member_id) == 0


async def test_the_same_money_is_asked_for_once(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    top_up_id = await top_up_of(sessions, counter, clock)
    request_id = new_request_id()
    asked: dict[str, Any] = {"seal": seal, "clock": clock}
    first = await ask(sessions, counter, top_up_id=top_up_id, request_id=request_id, **asked)
    again = await ask(sessions, counter, top_up_id=top_up_id, request_id=request_id, **asked)

    assert first == again
    for chosen in (top_up_id, None):
        with pytest.raises(RefundAlreadyAsked):
            await ask(sessions, counter, top_up_id=chosen, **asked)
    with pytest.raises(RefundRequestNotFound):
        async with transaction(sessions) as tx:
            await withdraw_refund(tx, refund_id=first, member_id=new_id(), now=clock.now())
    async with transaction(sessions) as tx:
        await withdraw_refund(tx, refund_id=first, member_id=counter.member_id, now=clock.now())
    await ask(sessions, counter, top_up_id=None, **asked)


async def test_a_wish_goes_along_with_its_member_and_back(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    top_up_id = await top_up_of(sessions, counter, clock)
    refund_id = await ask(sessions, counter, seal=seal, clock=clock, top_up_id=top_up_id)
    async with transaction(sessions) as tx:
        survivor = await given_member(tx, counter.brand)
    both: dict[str, Any] = {"from_member_id": counter.member_id, "into_member_id": survivor}

    async def merge() -> UUID:
        async with transaction(sessions) as tx:
            merged = await merge_members(
                tx, request_id=new_request_id(), by=SYSTEM, now=clock.now(), **both
            )
        return merged.merge_id

    merge_id = await merge()
    async with sessions() as tx:
        assert [wish.id for wish in await list_open_refund_wishes(tx, survivor)] == [refund_id]
    async with transaction(sessions) as tx:
        await unmerge_members(
            tx, request_id=new_request_id(), merge_id=merge_id, by=SYSTEM, now=clock.now()
        )
        assert await list_open_refund_wishes(tx, survivor) == []

    await merge()
    one = msgspec.structs.replace(counter, member_id=survivor)
    visit_id = await given_visit(sessions, one, clock)
    paid = await pay(sessions, one, refund_id, visit_id, clock=clock)
    assert paid.amount_fen == 10_000
    assert await balance_of(sessions, survivor) == 0


async def test_a_clerk_pays_small_sums_in_a_visit_that_a_code_opened(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    rich = await given_counter(sessions, seal=seal, balance_fen=20_001)
    refund_id = await ask(sessions, rich, seal=seal, clock=clock)
    visit_id = await given_visit(sessions, rich, clock)

    with pytest.raises(RefundOverLimit):
        await pay(sessions, rich, refund_id, visit_id, clock=clock, expected_fen=20_001)
    # Naming less than is due helps nobody.
    with pytest.raises(RefundAmountChanged):
        await pay(sessions, rich, refund_id, visit_id, clock=clock, expected_fen=20_000)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE counter_visits SET via = 'card_no'"))
    with pytest.raises(RefundNeedsCode):
        await pay(sessions, rich, refund_id, visit_id, clock=clock, expected_fen=20_001)
    with pytest.raises(VisitNotYours):
        await pay(sessions, rich, refund_id, new_id(), clock=clock, expected_fen=20_001)
    assert await balance_of(sessions, rich.member_id) == 20_001


async def test_finance_transfers_and_the_account_is_forgotten(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    payee = parse_payee(name="欧阳不二", bank="示例银行徐汇支行", account_no="6222 0212 3456 7890")
    refund_id = await ask(sessions, counter, seal=seal, clock=clock, payee=payee)
    assert await count(sessions, "refund_requests", "payee_sealed IS NOT NULL") == 1
    async with transaction(sessions) as tx:
        finance = await given_staff(tx, counter.brand, role=StaffRoleName.FINANCE, store_id=None)
    elsewhere = await given_counter(sessions, seal=seal, balance_fen=0)
    asked: dict[str, Any] = {"refund_id": refund_id, "expected_fen": 10_000, "now": clock.now()}

    for brand_id, staff_id, fact in (
        (counter.brand.id, counter.pad.staff_id, RoleMissing),
        (elsewhere.brand.id, elsewhere.pad.staff_id, RefundRequestNotFound),
    ):
        with pytest.raises(fact):
            async with transaction(sessions) as tx:
                await pay_refund_by_bank(
                    tx,
                    request_id=new_request_id(),
                    brand_id=brand_id,
                    staff_id=staff_id,
                    **asked,
                )
    visit_id = await given_visit(sessions, counter, clock)
    with pytest.raises(RefundWrongPayout):
        await pay(sessions, counter, refund_id, visit_id, clock=clock)
    async with transaction(sessions) as tx:
        paid = await pay_refund_by_bank(
            tx,
            request_id=new_request_id(),
            brand_id=counter.brand.id,
            staff_id=finance,
            **asked,
        )

    assert paid.amount_fen == 10_000
    assert await balance_of(sessions, counter.member_id) == 0
    assert await count(sessions, "refund_requests", "payee_sealed IS NOT NULL") == 0


async def test_a_right_is_not_refused_and_the_rest_needs_a_reason(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        boss = await given_staff(
            tx, counter.brand, role=StaffRoleName.MANAGER, store_id=counter.store.id
        )

    async def refuse(refund_id: UUID, staff_id: UUID) -> None:
        async with transaction(sessions) as tx:
            await refuse_refund(
                tx,
                refund_id=refund_id,
                brand_id=counter.brand.id,
                reason="已超过七天，请到店协商",
                staff_id=staff_id,
                now=clock.now(),
            )

    in_time = await ask(sessions, counter, seal=seal, clock=clock)
    with pytest.raises(RefundByRight):
        await refuse(in_time, boss)
    async with transaction(sessions) as tx:
        await withdraw_refund(tx, refund_id=in_time, member_id=counter.member_id, now=clock.now())
    clock.advance(days=8)
    late = await ask(sessions, counter, seal=seal, clock=clock)
    with pytest.raises(RoleMissing):
        await refuse(late, counter.pad.staff_id)
    await refuse(late, boss)
    assert await count(sessions, "refund_requests", "refusal LIKE '已超过%'") == 1

    # The programme has ended: everything may be had back, and nobody may refuse.
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE programmes SET ended_at = :now"), {"now": clock.now()})
    ended = await ask(sessions, counter, seal=seal, clock=clock)
    with pytest.raises(RefundByRight):
        await refuse(ended, boss)
    assert await balance_of(sessions, counter.member_id) == 10_000


@pytest.mark.parametrize(
    "name,bank,account_no",
    [
        ("", "银行", "62220212"),
        ("名", " ", "62220212"),
        ("名", "银行", "12345a78"),
        ("名", "银行", "1234567"),
    ],
)
def test_a_payee_is_whole(name: str, bank: str, account_no: str) -> None:
    with pytest.raises(RefundPayeeIncomplete):
        parse_payee(name=name, bank=bank, account_no=account_no)

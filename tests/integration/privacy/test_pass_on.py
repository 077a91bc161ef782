"""Passing stored value on: set aside at once, one taker, back after a day, both told."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, RequestId, new_request_id
from o2o.ledger.errors import BalanceLimitExceeded, InsufficientBalance
from o2o.ledger.queries import get_wallet, list_statement
from o2o.membership.actions.accept_pass_on import accept_pass_on
from o2o.membership.actions.offer_pass_on import link_token, offer_pass_on, token_hash
from o2o.membership.actions.withdraw_pass_on import (
    decline_pass_on,
    return_due_offers,
    withdraw_pass_on,
)
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_pass_on import (
    PassOnEnded,
    PassOnNotFound,
    PassOnTooManyOpen,
    PassOnToOneself,
)
from o2o.membership.events import PassOnOffered
from o2o.membership.jobs_privacy import PrivacyJobs
from o2o.membership.queries.pass_on import find_offer_by_token
from o2o.web.copy import Words
from tests.factories.members import (
    Counter,
    balance_of,
    count,
    given_balance,
    given_counter,
    given_fan,
    given_member,
)
from tests.fakes.clock import FakeClock


async def offer(
    sessions: SessionFactory,
    counter: Counter,
    to: UUID | None,
    *,
    seal: Seal,
    clock: FakeClock,
    amount_fen: int = 3_000,
    request_id: RequestId | None = None,
) -> UUID:
    async with transaction(sessions) as tx:
        return await offer_pass_on(
            tx,
            request_id=request_id or new_request_id(),
            from_member_id=counter.member_id,
            to_member_id=to,
            amount_fen=amount_fen,
            message="生日快乐",
            seal=seal,
            now=clock.now(),
        )


async def accept(
    sessions: SessionFactory, offer_id: UUID, by: UUID, clock: FakeClock, *, by_link: bool = False
) -> Fact | None:
    """What stood in the way, if anything did."""
    try:
        async with transaction(sessions) as tx:
            await accept_pass_on(
                tx, offer_id=offer_id, member_id=by, by_link=by_link, now=clock.now()
            )
    except Fact as fact:
        return fact
    return None


async def test_it_cannot_be_spent_meanwhile_and_arrives_with_a_yes(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)
    assert await balance_of(sessions, counter.member_id) == 7_000
    assert await balance_of(sessions, friend) == 0

    assert await accept(sessions, offer_id, friend, clock) is None
    assert await accept(sessions, offer_id, friend, clock) is None

    assert await balance_of(sessions, counter.member_id) == 7_000
    assert await balance_of(sessions, friend) == 3_000
    async with sessions() as tx:
        sent = await list_statement(tx, counter.member_id)
        got = await list_statement(tx, friend)
    assert [(line.kind, line.amount) for line in sent][:1] == [("passed_on", -3_000)]
    assert [(line.kind, line.amount, line.balance_after) for line in got] == [
        ("passed_on", 3_000, 3_000)
    ]
    assert await count(sessions, "outbox_messages", "topic = 'pass_on.settled'") == 1


async def test_it_is_drawn_in_the_order_of_the_programme(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    order = text("UPDATE programmes SET draw_order = 'principal_first' WHERE brand_id = :id")
    async with transaction(sessions) as tx:
        await given_balance(
            tx, counter.member_id, counter.store.id, principal_fen=1_000, bonus_fen=9_000
        )
        await tx.execute(order, {"id": counter.brand.id})
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)
    async with sessions() as tx:
        left = await get_wallet(tx, counter.member_id)
    assert (left.principal_fen, left.bonus_fen) == (8_000, 9_000)

    assert await accept(sessions, offer_id, friend, clock) is None
    async with sessions() as tx:
        left, got = [await get_wallet(tx, one) for one in (counter.member_id, friend)]
    assert (left.principal_fen, left.bonus_fen) == (8_000, 9_000)
    assert (got.principal_fen, got.bonus_fen) == (3_000, 0)


async def test_the_receivers_limit_refuses_and_nothing_moves(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await given_balance(tx, friend, counter.store.id, principal_fen=98_000)
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)

    assert isinstance(await accept(sessions, offer_id, friend, clock), BalanceLimitExceeded)

    assert await balance_of(sessions, friend) == 98_000
    assert await balance_of(sessions, counter.member_id) == 7_000
    assert await count(sessions, "pass_on_offers", "status = 'offered'") == 1
    assert await count(sessions, "ledger_holds", "status = 'pending'") == 1


async def test_a_link_has_exactly_one_taker(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        others = [friend, *[await given_member(tx, counter.brand) for _ in range(3)]]
    offer_id = await offer(sessions, counter, None, seal=seal, clock=clock)
    async with sessions() as tx:
        found = await find_offer_by_token(tx, token_hash(seal, link_token(seal, offer_id)))
    assert found is not None
    assert found.id == offer_id

    told = await asyncio.gather(
        *(accept(sessions, offer_id, one, clock, by_link=True) for one in others)
    )

    assert sum(fact is None for fact in told) == 1
    assert sum(isinstance(fact, PassOnEnded) for fact in told) == 3
    assert sorted([await balance_of(sessions, one) for one in others]) == [0, 0, 0, 3_000]
    assert await balance_of(sessions, counter.member_id) == 7_000


async def test_an_offer_is_for_nobody_else(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    elsewhere = await given_counter(sessions, seal=seal, balance_fen=0)
    async with transaction(sessions) as tx:
        third = await given_member(tx, counter.brand)
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)
    by_link = await offer(sessions, counter, None, seal=seal, clock=clock, amount_fen=100)

    assert isinstance(await accept(sessions, offer_id, third, clock), PassOnNotFound)
    assert isinstance(await accept(sessions, offer_id, third, clock, by_link=True), PassOnNotFound)
    assert isinstance(await accept(sessions, by_link, third, clock), PassOnNotFound)
    assert isinstance(
        await accept(sessions, by_link, elsewhere.member_id, clock, by_link=True), PassOnNotFound
    )
    assert isinstance(
        await accept(sessions, by_link, counter.member_id, clock, by_link=True), PassOnToOneself
    )
    with pytest.raises(MemberNotFound):
        await offer(sessions, counter, elsewhere.member_id, seal=seal, clock=clock)
    with pytest.raises(PassOnToOneself):
        await offer(sessions, counter, counter.member_id, seal=seal, clock=clock)
    assert await balance_of(sessions, counter.member_id) == 6_900


async def test_nobody_came_in_a_day_and_it_comes_back(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)
    clock.advance(hours=24)

    late = await accept(sessions, offer_id, friend, clock)
    async with transaction(sessions) as tx:
        await return_due_offers(tx, clock.now())
    async with transaction(sessions) as tx:
        await return_due_offers(tx, clock.now())

    assert isinstance(late, PassOnEnded)
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await balance_of(sessions, friend) == 0
    assert await count(sessions, "pass_on_offers", "status = 'returned'") == 1
    assert isinstance(await accept(sessions, offer_id, friend, clock), PassOnEnded)


async def test_taking_back_races_with_taking(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)

    async def withdraw() -> Fact | None:
        try:
            async with transaction(sessions) as tx:
                await withdraw_pass_on(
                    tx, offer_id=offer_id, member_id=counter.member_id, now=clock.now()
                )
        except Fact as fact:
            return fact
        return None

    told = await asyncio.gather(withdraw(), accept(sessions, offer_id, friend, clock))

    assert sum(fact is None for fact in told) == 1
    total = await balance_of(sessions, counter.member_id) + await balance_of(sessions, friend)
    assert total == 10_000


async def test_a_no_gives_the_money_back_and_is_the_receivers_alone(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)
    with pytest.raises(PassOnNotFound):
        async with transaction(sessions) as tx:
            await decline_pass_on(
                tx,
                offer_id=offer_id,
                member_id=counter.member_id,
                by_link=False,
                now=clock.now(),
            )

    async with transaction(sessions) as tx:
        await decline_pass_on(
            tx, offer_id=offer_id, member_id=friend, by_link=False, now=clock.now()
        )

    assert await balance_of(sessions, counter.member_id) == 10_000


async def test_sent_twice_it_is_one_offer_and_limits_hold(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    request_id = new_request_id()
    asked: dict[str, Any] = {"seal": seal, "clock": clock}
    first = await offer(sessions, counter, friend, request_id=request_id, **asked)
    second = await offer(sessions, counter, friend, request_id=request_id, **asked)
    assert first == second
    assert await balance_of(sessions, counter.member_id) == 7_000
    with pytest.raises(RequestBodyDiffers):
        await offer(sessions, counter, friend, request_id=request_id, amount_fen=1, **asked)
    with pytest.raises(InsufficientBalance):
        await offer(sessions, counter, friend, amount_fen=7_001, **asked)
    for _ in range(4):
        await offer(sessions, counter, friend, amount_fen=100, **asked)
    with pytest.raises(PassOnTooManyOpen):
        await offer(sessions, counter, friend, amount_fen=100, **asked)
    assert await balance_of(sessions, counter.member_id) == 6_600


async def test_the_receiver_is_told_in_wechat(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, counter.account, member_id=friend)
    offer_id = await offer(sessions, counter, friend, seal=seal, clock=clock)
    event = PassOnOffered(
        offer_id=offer_id,
        brand_id=BrandId(counter.brand.id),
        from_member_id=counter.member_id,
        to_member_id=friend,
        amount_fen=3_000,
        at=clock.now(),
    )

    async with transaction(sessions) as tx:
        await PrivacyJobs(clock=clock, words=Words()).tell_of_offer(tx, event)

    told = "purpose = 'stored_value_passed_on' AND content->'data'->>'phrase3' = '等您收下'"
    assert await count(sessions, "deliveries", f"openid = '{fan.openid}' AND {told}") == 1

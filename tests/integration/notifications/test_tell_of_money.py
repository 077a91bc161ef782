"""Members are told of money by a fan that follows, once, in the store's time."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.statuses import Tender
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.live import TOPIC as LIVE
from o2o.infra.relay import Relay
from o2o.infra.seal import Seal
from o2o.infra.subscriptions import Registry
from o2o.kernel.ids import new_id, new_request_id
from o2o.membership.jobs import register
from o2o.membership.till import Till
from o2o.notifications.actions.tell_of_money import tell_of_debit
from tests.factories.members import Counter, count, given_counter, given_fan
from tests.factories.organisation import given_account
from tests.fakes.clock import NOON, FakeClock


@pytest.fixture
async def at(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal, unattended_debit_fen_max=100_000)


async def deliveries(sessions: SessionFactory) -> Sequence[Any]:
    async with sessions() as tx:
        rows = await tx.execute(
            text(
                "SELECT account_id, openid, purpose, client_msg_id, content FROM deliveries"
                " ORDER BY created_at, id"
            )
        )
        return rows.all()


async def tell(sessions: SessionFactory, at: Counter, transfer_id: UUID | None = None) -> None:
    async with transaction(sessions) as tx:
        await tell_of_debit(
            tx,
            transfer_id=transfer_id or new_id(),
            member_id=at.member_id,
            store_id=at.store.id,
            amount_fen=3_800,
            balance_fen=6_200,
            at=NOON,
            now=NOON,
        )


async def test_a_charge_and_a_top_up_reach_the_member_and_the_open_page(
    sessions: SessionFactory, seal: Seal, at: Counter, clock: FakeClock
) -> None:
    pushed: list[dict[str, Any]] = []

    async def push(payload: dict[str, Any]) -> None:
        pushed.append(payload)

    async with transaction(sessions) as tx:
        await tx.execute(text("DELETE FROM outbox_messages"))
        fan = await given_fan(tx, at.account, member_id=at.member_id)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    paid = await till.charge(
        request_id=new_request_id(), member_id=at.member_id, amount_fen=3_800, by=at.key
    )
    clock.advance(minutes=1)
    await till.top_up(
        request_id=new_request_id(),
        member_id=at.member_id,
        principal_fen=20_000,
        bonus_fen=2_000,
        tender=Tender.CASH,
        by=at.key,
    )
    registry = Registry()
    register(registry, clock=clock)
    registry.perform(LIVE, push)
    relay = Relay(sessions=sessions, registry=registry, clock=clock)
    while await relay.deliver_due():
        pass

    debit, top_up = await deliveries(sessions)
    assert (debit.account_id, debit.openid) == (at.account.id, fan.openid)
    assert (debit.purpose, debit.client_msg_id) == ("stored_value_debited", paid.transfer_id.hex)
    assert debit.content == {
        "url": f"/h5/{at.account.slug}/wallet",
        "data": {
            "thing1": "小灶静安寺店",
            "amount2": "38.00元",
            "amount3": "62.00元",
            "time4": "2026年11月20日 12:00",
        },
    }
    assert top_up.purpose == "stored_value_topped_up"
    assert top_up.content["data"] == {
        "thing1": "小灶静安寺店",
        "amount2": "200.00元",
        "amount3": "20.00元",
        "amount4": "282.00元",
        "time5": "2026年11月20日 12:01",
    }
    topic = f"member:{at.member_id}"
    expected = {
        "topic": topic,
        "event": "balance",
        "data": {"balance_fen": 28_200, "points": 0},
    }
    assert pushed == [expected, expected]


async def test_nobody_is_told_twice_of_one_transfer(sessions: SessionFactory, at: Counter) -> None:
    async with transaction(sessions) as tx:
        await given_fan(tx, at.account, member_id=at.member_id)
    transfer_id = new_id()
    await tell(sessions, at, transfer_id)
    await tell(sessions, at, transfer_id)
    assert len(await deliveries(sessions)) == 1
    assert await count(sessions, "outbox_messages", "topic = 'wechat.send_template'") == 1


async def test_who_does_not_follow_is_not_told(sessions: SessionFactory, at: Counter) -> None:
    async with transaction(sessions) as tx:
        await given_fan(tx, at.account, member_id=at.member_id, is_following=False)
        await given_fan(tx, at.account)
    await tell(sessions, at)
    assert await deliveries(sessions) == []


async def test_the_stores_own_account_comes_first_else_another_of_the_brand(
    sessions: SessionFactory, seal: Seal, at: Counter
) -> None:
    other = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        second = await given_account(tx, at.brand, seal=seal)
        elsewhere = await given_fan(tx, second, member_id=at.member_id)
        # A row that should not be: a fan of another brand's account bound to this member.
        await given_fan(tx, other.account, member_id=at.member_id)
    await tell(sessions, at)
    async with transaction(sessions) as tx:
        own = await given_fan(tx, at.account, member_id=at.member_id)
    await tell(sessions, at)
    assert [row.openid for row in await deliveries(sessions)] == [elsewhere.openid, own.openid]

"""The pay PIN: what is refused as too weak, how tries are counted, and what unlocks it."""

import asyncio
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.members import Member
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.membership.actions.pay_pin import check_pay_pin, set_pay_pin
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_pay_pin import (
    PayPinLocked,
    PayPinMalformed,
    PayPinMissing,
    PayPinWeak,
    PayPinWrong,
)
from tests.factories.members import given_counter
from tests.fakes.clock import FakeClock

PIN = "730914"


@pytest.fixture
async def member_id(sessions: SessionFactory, seal: Seal) -> UUID:
    counter = await given_counter(sessions, seal=seal, balance_fen=0)
    async with transaction(sessions) as tx:
        member = await tx.get_one(Member, counter.member_id)
        member.birthday, member.phone = date(1990, 7, 4), "19900018263"
    return counter.member_id


async def choose(sessions: SessionFactory, member_id: UUID, pin: str, clock: FakeClock) -> None:
    async with transaction(sessions) as tx:
        await set_pay_pin(tx, member_id=member_id, pin=pin, now=clock.now())


async def check(
    sessions: SessionFactory, member_id: UUID, pin: str, clock: FakeClock
) -> Fact | None:
    """What a try says; None when it was right."""
    try:
        async with transaction(sessions) as tx:
            await check_pay_pin(tx, member_id=member_id, pin=pin, now=clock.now())
    except Fact as fact:
        return fact
    return None


@pytest.mark.parametrize(
    "pin,reason",
    [
        ("000000", "repeated"),
        ("121212", "repeated"),
        ("123123", "repeated"),
        ("123456", "in_a_row"),
        ("890123", "in_a_row"),
        ("654321", "in_a_row"),
        ("900704", "birthday"),
        ("199007", "birthday"),
        ("199074", "birthday"),
        ("018263", "phone"),
        ("199000", "phone"),
        ("112233", "common"),
    ],
)
async def test_what_a_stranger_tries_first_is_refused(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock, pin: str, reason: str
) -> None:
    with pytest.raises(PayPinWeak) as refused:
        await choose(sessions, member_id, pin, clock)

    assert refused.value.detail == {"reason": reason}
    assert isinstance(await check(sessions, member_id, pin, clock), PayPinMissing)


@pytest.mark.parametrize("pin", ["", "12345", "7309144", "73091a", "７３０９１４", " 73091"])
async def test_six_plain_digits_or_nothing(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock, pin: str
) -> None:
    with pytest.raises(PayPinMalformed):
        await choose(sessions, member_id, pin, clock)


async def test_nobody_elses_and_no_deleted_members(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET status = 'deleted', deleted_at = now() WHERE id = :id"),
            {"id": member_id},
        )

    with pytest.raises(MemberNotFound):
        await choose(sessions, member_id, PIN, clock)


async def test_right_is_right_and_is_kept_as_a_hash(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock
) -> None:
    await choose(sessions, member_id, PIN, clock)

    assert await check(sessions, member_id, PIN, clock) is None
    async with sessions() as tx:
        member = await tx.get_one(Member, member_id)
    assert member.pay_pin_hash is not None
    assert member.pay_pin_hash.startswith("$argon2id$")
    assert PIN not in member.pay_pin_hash


async def test_five_wrong_lock_for_half_an_hour_though_each_was_refused(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock
) -> None:
    await choose(sessions, member_id, PIN, clock)

    told = [await check(sessions, member_id, "402817", clock) for _ in range(5)]

    assert [fact.detail for fact in told[:4] if isinstance(fact, PayPinWrong)] == [
        {"tries_left": left} for left in (4, 3, 2, 1)
    ]
    assert isinstance(told[4], PayPinLocked)
    assert told[4].detail == {"retry_after_seconds": 1800, "minutes": 30}
    clock.advance(minutes=29)
    still = await check(sessions, member_id, PIN, clock)
    assert isinstance(still, PayPinLocked)
    assert still.detail == {"retry_after_seconds": 60, "minutes": 1}
    clock.advance(minutes=1)
    again = await check(sessions, member_id, "402817", clock)
    assert isinstance(again, PayPinWrong)
    assert again.detail == {"tries_left": 4}
    assert await check(sessions, member_id, PIN, clock) is None


async def test_a_right_one_or_a_new_one_gives_all_tries_back(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock
) -> None:
    await choose(sessions, member_id, PIN, clock)
    for _ in range(4):
        await check(sessions, member_id, "402817", clock)
    assert await check(sessions, member_id, PIN, clock) is None
    for _ in range(5):
        await check(sessions, member_id, "402817", clock)

    await choose(sessions, member_id, "508231", clock)

    assert await check(sessions, member_id, "508231", clock) is None
    assert isinstance(await check(sessions, member_id, PIN, clock), PayPinWrong)


async def test_tries_at_once_are_each_counted(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock
) -> None:
    await choose(sessions, member_id, PIN, clock)

    told = await asyncio.gather(
        *(check(sessions, member_id, f"40281{digit}", clock) for digit in range(8))
    )

    assert sum(isinstance(fact, PayPinWrong) for fact in told) == 4
    assert sum(isinstance(fact, PayPinLocked) for fact in told) == 4
    assert isinstance(await check(sessions, member_id, PIN, clock), PayPinLocked)

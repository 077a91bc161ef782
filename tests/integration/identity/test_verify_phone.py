"""Six digits by text message: sealed on the way, five tries, five minutes, limits on sending."""

import msgspec
import pytest
from sqlalchemy import text

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.membership.actions.verify_phone import (
    AskPhoneCode,
    ProvedPhone,
    ask_phone_code,
    check_phone_code,
    sweep_verifications,
)
from o2o.membership.errors_identity import CodeDead, CodeNotAsked, CodeWrong, SMSTooOften
from o2o.membership.queries.verifications import find_proof, find_waiting_code
from tests.factories.identity import PHONE, Someone, given_someone, last_code
from tests.factories.members import Counter, count
from tests.fakes.clock import FakeClock

BIND = VerificationPurpose.BIND


@pytest.fixture
async def someone(sessions: SessionFactory, counter: Counter) -> Someone:
    async with transaction(sessions) as tx:
        return await given_someone(tx, counter)


async def ask(
    sessions: SessionFactory,
    someone: Someone,
    seal: Seal,
    clock: FakeClock,
    *,
    phone: str = PHONE,
    address: str = "192.0.2.1",
    purpose: VerificationPurpose = BIND,
) -> None:
    asked = AskPhoneCode(fan_id=someone.fan_id, phone=phone, address=address, purpose=purpose)
    async with transaction(sessions) as tx:
        await ask_phone_code(tx, asked, seal=seal, now=clock.now())


async def answer(
    sessions: SessionFactory, someone: Someone, code: str, seal: Seal, clock: FakeClock
) -> ProvedPhone | Fact:
    async with transaction(sessions) as tx:
        return await check_phone_code(
            tx, fan_id=someone.fan_id, code=code, seal=seal, now=clock.now()
        )


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_the_right_digits_prove_the_phone_once_for_ten_minutes(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock
) -> None:
    await ask(sessions, someone, seal, clock)
    queued = await last_code(sessions, seal)
    assert (queued.message.phone, queued.message.minutes) == (PHONE, 5)
    assert len(queued.message.code) == 6

    proved = await answer(sessions, someone, queued.message.code, seal, clock)

    assert isinstance(proved, ProvedPhone)
    assert proved.phone == PHONE
    again = await answer(sessions, someone, queued.message.code, seal, clock)
    assert isinstance(again, CodeNotAsked)
    async with sessions() as tx:
        assert await find_proof(tx, someone.fan_id, purpose=BIND, now=clock.now()) is not None
        clock.advance(seconds=600)
        assert await find_proof(tx, someone.fan_id, purpose=BIND, now=clock.now()) is None


async def test_neither_phone_nor_digits_can_be_read_in_the_database(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock
) -> None:
    await ask(sessions, someone, seal, clock)
    queued = await last_code(sessions, seal)
    async with sessions() as tx:
        payload = await tx.scalar(
            text("SELECT payload::text FROM outbox_messages WHERE topic = 'sms.send'")
        )
        row = (await tx.execute(text("SELECT * FROM phone_verifications"))).one()
    assert queued.message.code not in payload
    assert PHONE not in payload
    assert queued.message.code.encode() not in row.code_hash
    assert msgspec.json.decode(payload)["message_id"] == str(row.id)


async def test_five_wrong_tries_kill_the_code_for_the_right_digits_too(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock
) -> None:
    await ask(sessions, someone, seal, clock)
    code = (await last_code(sessions, seal)).message.code
    answers = [await answer(sessions, someone, another(code), seal, clock) for _ in range(5)]
    assert [type(fact) for fact in answers] == [CodeWrong] * 4 + [CodeDead]
    assert [f.detail["tries_left"] for f in answers[:4] if isinstance(f, Fact)] == [4, 3, 2, 1]
    assert isinstance(await answer(sessions, someone, code, seal, clock), CodeDead)
    assert await count(sessions, "phone_verifications", "proved_at IS NOT NULL") == 0
    assert await count(sessions, "audit_entries", "action = 'phone.code_guessed_at'") == 1


async def test_digits_die_after_five_minutes_and_when_newer_ones_are_asked_for(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock
) -> None:
    await ask(sessions, someone, seal, clock)
    first = (await last_code(sessions, seal)).message.code
    clock.advance(seconds=60)
    await ask(sessions, someone, seal, clock)
    second = (await last_code(sessions, seal)).message.code
    if first != second:
        assert isinstance(await answer(sessions, someone, first, seal, clock), CodeWrong)
    clock.advance(seconds=300)
    assert isinstance(await answer(sessions, someone, second, seal, clock), CodeNotAsked)
    async with sessions() as tx:
        waiting = await find_waiting_code(tx, someone.fan_id, purpose=BIND, now=clock.now())
    assert waiting is None


async def test_digits_sent_for_somebody_else_prove_nothing(
    sessions: SessionFactory, someone: Someone, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        other = await given_someone(tx, counter)
    await ask(sessions, someone, seal, clock)
    code = (await last_code(sessions, seal)).message.code
    assert isinstance(await answer(sessions, other, code, seal, clock), CodeNotAsked)


async def test_one_message_a_minute_five_an_hour_ten_a_day(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock
) -> None:
    sent = 0
    waits: list[int] = []
    for _ in range(30):
        try:
            await ask(sessions, someone, seal, clock)
        except SMSTooOften as fact:
            waits.append(fact.detail["retry_after_seconds"])
            clock.advance(seconds=waits[-1])
        else:
            sent += 1
    # Each wait told is exact: after it, the next one goes.
    assert waits[:5] == [60, 60, 60, 60, 3600 - 240]
    assert sent > 10
    started = await _first(sessions)
    assert await count(sessions, "phone_verifications", f"created_at < '{started}'") == 10


async def _first(sessions: SessionFactory) -> str:
    async with sessions() as tx:
        return str(
            await tx.scalar(
                text("SELECT min(created_at) + interval '1 day' FROM phone_verifications")
            )
        )


@pytest.mark.parametrize("same", ["phone", "fan"])
async def test_the_limits_hold_for_the_phone_and_for_the_person(
    sessions: SessionFactory,
    someone: Someone,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
    same: str,
) -> None:
    async with transaction(sessions) as tx:
        other = await given_someone(tx, counter)
    await ask(sessions, someone, seal, clock)
    who, phone = (other, PHONE) if same == "phone" else (someone, "13800010002")
    with pytest.raises(SMSTooOften):
        await ask(sessions, who, seal, clock, phone=phone, address="192.0.2.2")
    await ask(sessions, other, seal, clock, phone="13800010002")
    assert await count(sessions, "outbox_messages", "topic = 'sms.send'") == 2


async def test_one_address_sends_thirty_an_hour_at_most(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        people = [await given_someone(tx, counter, is_member=False) for _ in range(31)]
    for number, person in enumerate(people[:30]):
        await ask(sessions, person, seal, clock, phone=f"138{number:08d}")
    with pytest.raises(SMSTooOften) as refused:
        await ask(sessions, people[30], seal, clock, phone="13900000000")
    assert refused.value.detail["minutes"] == 60
    await ask(sessions, people[30], seal, clock, phone="13900000000", address="192.0.2.9")


async def test_old_rows_are_swept_and_those_that_limits_count_are_kept(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock
) -> None:
    await ask(sessions, someone, seal, clock)
    clock.advance(seconds=86_400)
    async with transaction(sessions) as tx:
        await sweep_verifications(tx, clock.now())
    assert await count(sessions, "phone_verifications") == 1
    clock.advance(seconds=86_401)
    async with transaction(sessions) as tx:
        await sweep_verifications(tx, clock.now())
    assert await count(sessions, "phone_verifications") == 0

"""Members, codes and visits under real concurrent connections: once is once."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.ledger.actions.debit_stored_value import Transferred
from o2o.membership.actions import spend_codes
from o2o.membership.actions.issue_member_code import code_hash, issue_member_code
from o2o.membership.actions.join_membership import JoinedMember, join_membership
from o2o.membership.actions.open_visits import OpenedVisit, OpenVisit, open_visits
from o2o.membership.errors import CodeUnknown, CodeUsed, ScanLocked
from o2o.membership.rules.member_code import new_member_code
from o2o.membership.scanners import Scanner
from o2o.membership.till import Till
from tests.factories.members import Counter, balance_of, count, given_counter, given_fan
from tests.factories.organisation import given_account, given_brand
from tests.fakes.clock import NOON, FakeClock

ROUNDS = 25
T = TypeVar("T")


async def at_once(*calls: Awaitable[T]) -> list[T | BaseException]:
    return await asyncio.gather(*calls, return_exceptions=True)


async def issue(sessions: SessionFactory, seal: Seal, at: Counter, clock: FakeClock) -> str:
    async with transaction(sessions) as tx:
        issued = await issue_member_code(tx, seal=seal, member_id=at.member_id, now=clock.now())
    return issued.code


async def scan(
    sessions: SessionFactory, seal: Seal, code: str, *, by: Scanner, clock: FakeClock
) -> OpenedVisit | Fact:
    """A scan in a connection of its own, as in another process."""
    async with transaction(sessions) as tx:
        command = OpenVisit(code_hash=code_hash(seal, code), by=by, now=clock.now())
        [outcome] = await open_visits(tx, [command])
    return outcome


def kinds(outcomes: Sequence[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


async def test_of_many_pads_that_scan_one_code_exactly_one_has_it(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    pads: list[Scanner] = [counter.pad, counter.near_pad, counter.pad, counter.key]
    for _ in range(ROUNDS):
        clock.advance(seconds=61)
        shown = await issue(sessions, seal, counter, clock)
        outcomes = await at_once(*(scan(sessions, seal, shown, by=by, clock=clock) for by in pads))
        assert kinds(outcomes) == ["CodeUsed", "CodeUsed", "CodeUsed", "OpenedVisit"]
    assert await count(sessions, "counter_visits") == ROUNDS


async def test_in_one_process_too_exactly_one_has_it(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    for _ in range(ROUNDS):
        clock.advance(seconds=61)
        shown = await issue(sessions, seal, counter, clock)
        outcomes = await at_once(
            *(till.open_visit(shown, by=by) for by in (counter.pad, counter.near_pad) * 4)
        )
        assert kinds(outcomes) == ["CodeUsed"] * 7 + ["OpenedVisit"]


async def test_without_the_condition_two_pads_would_have_it(
    sessions: SessionFactory,
    seal: Seal,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the test above tests is the condition in the statement, not luck."""
    counter = await given_counter(sessions, seal=seal)
    shown = await issue(sessions, seal, counter, clock)
    both: list[Scanner] = [counter.pad, counter.key]
    unguarded = spend_codes._SPEND.text.replace("c.used_at IS NULL", "true")
    assert unguarded != spend_codes._SPEND.text
    monkeypatch.setattr(spend_codes, "_SPEND", text(unguarded))
    async with transaction(sessions) as tx:  # The last wall: one visit per code.
        await tx.execute(
            text("ALTER TABLE counter_visits DROP CONSTRAINT uq_counter_visits_code_hash")
        )
    try:
        outcomes = await at_once(*(scan(sessions, seal, shown, by=by, clock=clock) for by in both))
        assert kinds(outcomes) == ["OpenedVisit", "OpenedVisit"]
    finally:
        async with transaction(sessions) as tx:
            await tx.execute(text("DELETE FROM counter_visits"))
            await tx.execute(
                text(
                    "ALTER TABLE counter_visits"
                    " ADD CONSTRAINT uq_counter_visits_code_hash UNIQUE (code_hash)"
                )
            )


async def test_issuing_and_scanning_at_once_never_deadlock(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    for _ in range(ROUNDS):
        shown = await issue(sessions, seal, counter, clock)
        outcomes = await at_once(
            scan(sessions, seal, shown, by=counter.pad, clock=clock),
            issue(sessions, seal, counter, clock),
            scan(sessions, seal, shown, by=counter.near_pad, clock=clock),
            issue(sessions, seal, counter, clock),
        )
        assert kinds(outcomes) == ["CodeUsed", "OpenedVisit", "str", "str"]
        clock.advance(seconds=61)


async def test_codes_issued_at_once_leave_one_that_lives_its_minute(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    await at_once(*(issue(sessions, seal, counter, clock) for _ in range(10)))
    long = f"expires_at > '{clock.now().isoformat()}'::timestamptz + interval '5 seconds'"
    assert await count(sessions, "member_codes", f"used_at IS NULL AND {long}") == 1


async def test_a_hundred_guesses_at_once_are_all_counted(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    outcomes = await at_once(
        *(scan(sessions, seal, new_member_code(), by=counter.pad, clock=clock) for _ in range(30))
    )
    assert sum(isinstance(outcome, CodeUnknown) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, ScanLocked) for outcome in outcomes) == 25
    assert await count(sessions, "outbox_messages", "topic = 'pad.scan_locked'") == 1


async def test_one_fan_who_taps_twice_is_one_member(sessions: SessionFactory, seal: Seal) -> None:
    for _ in range(ROUNDS):
        async with transaction(sessions) as tx:
            account = await given_account(tx, await given_brand(tx), seal=seal)
            fan = await given_fan(tx, account)
        outcomes = await at_once(*(join(sessions, fan.id, account.id) for _ in range(6)))
        assert kinds(outcomes) == ["JoinedMember"] * 6
        joined = [outcome for outcome in outcomes if isinstance(outcome, JoinedMember)]
        assert len({one.member_id for one in joined}) == 1
        assert sum(one.is_new for one in joined) == 1
    assert await count(sessions, "members") == ROUNDS
    assert await count(sessions, "cards") == ROUNDS
    assert await count(sessions, "outbox_messages", "topic = 'member.joined'") == ROUNDS


async def test_one_person_in_three_accounts_at_once_is_one_member(
    sessions: SessionFactory, seal: Seal
) -> None:
    for round_number in range(ROUNDS):
        async with transaction(sessions) as tx:
            brand = await given_brand(tx)
            fans = [
                await given_fan(
                    tx, await given_account(tx, brand, seal=seal), unionid=f"u{round_number}"
                )
                for _ in range(3)
            ]
        outcomes = await at_once(
            *(join(sessions, fan.id, fan.account_id) for fan in fans for _ in range(2))
        )
        assert kinds(outcomes) == ["JoinedMember"] * 6
        joined = [outcome for outcome in outcomes if isinstance(outcome, JoinedMember)]
        assert len({one.member_id for one in joined}) == 1
    assert await count(sessions, "members") == ROUNDS
    assert await count(sessions, "fans", "member_id IS NULL") == 0
    assert await count(sessions, "member_identities") == 4 * ROUNDS


async def join(sessions: SessionFactory, fan_id: Any, account_id: Any) -> JoinedMember:
    async with transaction(sessions) as tx:
        return await join_membership(
            tx,
            fan_id=fan_id,
            account_id=account_id,
            terms_version="2026-01",
            is_snapshot=False,
            now=NOON,
        )


async def test_one_code_pays_once_however_often_it_is_sent(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    tills = [Till(sessions=sessions, seal=seal, clock=clock) for _ in range(3)]
    for round_number in range(1, 11):
        clock.advance(seconds=61)
        shown = await issue(sessions, seal, counter, clock)
        request_id = new_request_id()
        same = [
            till.charge(
                request_id=request_id,
                member_id=counter.member_id,
                amount_fen=100,
                by=counter.key,
                member_code=shown,
            )
            for till in tills * 2
        ]
        outcomes = await at_once(*same)
        assert kinds(outcomes) == ["Transferred"] * 6
        paid = [outcome for outcome in outcomes if isinstance(outcome, Transferred)]
        assert len({one.transfer_id for one in paid}) == 1
        assert sum(not one.is_replay for one in paid) == 1
        with pytest.raises(CodeUsed):
            await tills[0].charge(
                request_id=new_request_id(),
                member_id=counter.member_id,
                amount_fen=100,
                by=counter.key,
                member_code=shown,
            )
        assert await balance_of(sessions, counter.member_id) == 10_000 - 100 * round_number


async def test_two_hundred_charges_of_ten_yuan_on_a_hundred(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal, unattended_debit_fen_max=1_000)
    tills = [Till(sessions=sessions, seal=seal, clock=clock) for _ in range(2)]
    outcomes = await at_once(
        *(
            tills[number % 2].charge(
                request_id=new_request_id(),
                member_id=counter.member_id,
                amount_fen=1_000,
                by=counter.key,
            )
            for number in range(200)
        )
    )
    assert kinds(outcomes) == ["InsufficientBalance"] * 190 + ["Transferred"] * 10
    assert await balance_of(sessions, counter.member_id) == 0

"""Identities under real concurrent connections: one member, one merge, no money lost or made."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from o2o.crm.statuses import Tender
from o2o.infra.audit import Actor
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId, StoreId, new_request_id
from o2o.ledger.actions.debit_stored_value import DebitStoredValue, debit_stored_value
from o2o.membership.actions.bind_offline_card import BindCard, CardBound, bind_offline_card
from o2o.membership.actions.bind_phone import PhoneBound, bind_phone
from o2o.membership.actions.gather_merged import gather_merged
from o2o.membership.actions.merge_members import MergedMembers, merge_members
from o2o.membership.actions.top_up_at_counter import TopUpAtCounter, top_up_at_counter
from o2o.membership.actions.unmerge_members import unmerge_members
from o2o.membership.actions.verify_phone import AskPhoneCode, ask_phone_code, check_phone_code
from o2o.membership.errors_identity import CardCodeWrong, CardGuessLocked, CodeDead, CodeWrong
from o2o.membership.queries.counter import list_member_facts
from tests.factories.identity import (
    PHONE,
    Someone,
    given_bought_card,
    given_someone,
    last_code,
    member_of,
    status_of,
)
from tests.factories.members import (
    Counter,
    balance_of,
    count,
    given_balance,
    given_counter,
    given_member,
)
from tests.factories.organisation import given_account
from tests.fakes.clock import NOON, FakeClock

ROUNDS = 5


async def at_once(*calls: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def kinds(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


async def prove(
    sessions: SessionFactory, someone: Someone, seal: Seal, clock: FakeClock, phone: str
) -> None:
    clock.advance(seconds=61)
    asked = AskPhoneCode(
        fan_id=someone.fan_id, phone=phone, address="192.0.2.1", terms_version="2026-01"
    )
    async with transaction(sessions) as tx:
        await ask_phone_code(tx, asked, seal=seal, now=clock.now())
    code = (await last_code(sessions, seal)).message.code
    async with transaction(sessions) as tx:
        await check_phone_code(tx, fan_id=someone.fan_id, code=code, seal=seal, now=clock.now())


async def merge(
    sessions: SessionFactory, one: MemberId, into: MemberId, request_id: RequestId | None = None
) -> MergedMembers:
    async with transaction(sessions) as tx:
        return await merge_members(
            tx,
            request_id=request_id or new_request_id(),
            from_member_id=one,
            into_member_id=into,
            by=Actor("staff"),
            now=NOON,
        )


async def test_two_new_people_who_prove_one_phone_at_once_are_one_member(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)

    async def bind(someone: Someone) -> PhoneBound | object:
        async with transaction(sessions) as tx:
            return await bind_phone(
                tx, fan_id=someone.fan_id, account_id=someone.account_id, now=clock.now()
            )

    for number in range(ROUNDS):
        phone = f"138{number:08d}"
        async with transaction(sessions) as tx:
            other_account = await given_account(tx, counter.brand, seal=seal)
            people = [
                await given_someone(tx, counter, account=account, is_member=False)
                for account in (counter.account, other_account)
            ]
        for someone in people:
            await prove(sessions, someone, seal, clock, phone)
        before = await count(sessions, "members")
        # The second finds the first's member and is asked before it becomes one with it.
        outcomes = await at_once(*(bind(someone) for someone in people))
        assert kinds(outcomes) == ["PhoneBound", "PhoneHasOwners"]
        assert await count(sessions, "members") == before + 1
    assert await count(sessions, "member_identities", "kind = 'phone'") == ROUNDS


async def test_of_many_tries_at_once_five_are_looked_at(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        someone = await given_someone(tx, counter)
        asked = AskPhoneCode(fan_id=someone.fan_id, phone=PHONE, address="192.0.2.1")
        await ask_phone_code(tx, asked, seal=seal, now=clock.now())

    async def guess() -> object:
        async with transaction(sessions) as tx:
            return await check_phone_code(
                tx, fan_id=someone.fan_id, code="no", seal=seal, now=clock.now()
            )

    outcomes = await at_once(*(guess() for _ in range(12)))
    assert kinds(outcomes) == [CodeDead.__name__] * 8 + [CodeWrong.__name__] * 4
    assert await count(sessions, "phone_verifications", "tries = 5") == 1


async def test_two_merges_at_once_each_way_make_one_merge(
    sessions: SessionFactory, seal: Seal
) -> None:
    counter = await given_counter(sessions, seal=seal)
    for _ in range(ROUNDS):
        async with transaction(sessions) as tx:
            someone = await given_someone(tx, counter, balance_fen=500)
            rival = await given_someone(tx, counter, balance_fen=300)
        one, other = someone.member_id, rival.member_id
        assert one is not None
        assert other is not None
        outcomes = await at_once(merge(sessions, one, other), merge(sessions, other, one))
        assert kinds(outcomes) == ["MemberMergedAway", "MergedMembers"]
        assert await balance_of(sessions, one) + await balance_of(sessions, other) == 800
    assert await count(sessions, "member_merges") == ROUNDS


async def test_one_intention_at_once_from_many_is_one_merge(
    sessions: SessionFactory, seal: Seal
) -> None:
    counter = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        other = await given_member(tx, counter.brand)
    request_id = new_request_id()
    outcomes = await at_once(
        *(merge(sessions, other, counter.member_id, request_id) for _ in range(6))
    )
    assert kinds(outcomes) == ["MergedMembers"] * 6
    assert sorted(outcome.is_replay for outcome in outcomes) == [False] + [True] * 5
    assert await count(sessions, "member_merges") == 1


async def test_money_neither_vanishes_nor_doubles_when_a_merge_meets_debits_and_top_ups(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)

    async def debit(member_id: MemberId) -> object:
        command = DebitStoredValue(
            request_id=new_request_id(),
            member_id=member_id,
            store_id=StoreId(counter.store.id),
            amount_fen=100,
            reason=None,
            now=NOON,
        )
        async with transaction(sessions) as tx:
            [done] = await debit_stored_value(tx, [command])
        return done

    async def top_up(member_id: MemberId) -> object:
        command = TopUpAtCounter(
            request_id=new_request_id(),
            member_id=member_id,
            principal_fen=70,
            bonus_fen=0,
            tender=Tender.CASH,
            by=counter.key,
            now=NOON,
        )
        async with transaction(sessions) as tx:
            [done] = await top_up_at_counter(tx, [command])
        return done

    for _ in range(ROUNDS):
        async with transaction(sessions) as tx:
            someone = await given_someone(tx, counter, balance_fen=1_000)
            into = await given_member(tx, counter.brand)
        one = someone.member_id
        assert one is not None
        outcomes = await at_once(
            debit(one), top_up(one), merge(sessions, one, into), debit(one), top_up(one)
        )
        assert not [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, Fact)]
        moved = [o for o in outcomes if not isinstance(o, Fact)]
        debits = sum(1 for o in outcomes[::3] if not isinstance(o, Fact))
        top_ups = sum(1 for o in (outcomes[1], outcomes[4]) if not isinstance(o, Fact))
        assert len(moved) >= 1
        # All of it is the survivor's: nothing came in behind the merge's back.
        assert await balance_of(sessions, one) == 0
        assert await balance_of(sessions, into) == 1_000 - 100 * debits + 70 * top_ups


async def test_a_merge_waits_for_money_that_is_coming_in(
    sessions: SessionFactory, seal: Seal
) -> None:
    counter = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        other = await given_member(tx, counter.brand)
    async with transaction(sessions) as tx:
        # What a top-up does first.
        await list_member_facts(tx, {other}, is_held=True)
        merging = asyncio.create_task(merge(sessions, other, counter.member_id))
        await asyncio.wait({merging}, timeout=0.5)
        assert not merging.done()
        await given_balance(tx, other, counter.store.id, principal_fen=400)
    await merging
    assert await balance_of(sessions, counter.member_id) == 10_400
    assert await balance_of(sessions, other) == 0


async def test_a_merge_is_undone_once_however_many_undo_it(
    sessions: SessionFactory, seal: Seal
) -> None:
    counter = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        someone = await given_someone(tx, counter, balance_fen=1_000)
    one = someone.member_id
    assert one is not None
    merged = await merge(sessions, one, counter.member_id)

    async def undo() -> object:
        async with transaction(sessions) as tx:
            return await unmerge_members(
                tx,
                request_id=new_request_id(),
                merge_id=merged.merge_id,
                by=Actor("staff"),
                now=NOON,
            )

    outcomes = await at_once(*(undo() for _ in range(5)))
    assert kinds(outcomes) == ["MergeUndone"] * 4 + ["UnmergedMembers"]
    assert await balance_of(sessions, one) == 1_000
    assert await balance_of(sessions, counter.member_id) == 10_000


async def test_a_bought_card_is_bound_by_one_of_many_who_know_its_code(
    sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    counter = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        bought = await given_bought_card(tx, counter, seal=seal)
        people = [await given_someone(tx, counter, is_member=index > 2) for index in range(6)]

    async def bind(someone: Someone, code: str = "AB01CD23") -> object:
        asked = BindCard(
            fan_id=someone.fan_id,
            account_id=someone.account_id,
            address="192.0.2.1",
            card_no="SV00012345",
            code=code,
            terms_version="2026-01",
        )
        async with transaction(sessions) as tx:
            return await bind_offline_card(tx, asked, seal=seal, now=clock.now())

    outcomes = await at_once(*(bind(someone) for someone in people))
    assert kinds(outcomes) == [CardBound.__name__] + ["CardOfSomebodyElse"] * 5
    [winner] = [o for o in outcomes if isinstance(o, CardBound)]
    assert await balance_of(sessions, winner.member_id) == 20_000
    holders = [await member_of(sessions, someone.fan_id) for someone in people]
    assert holders.count(winner.member_id) == 1
    assert winner.member_id == bought or (await status_of(sessions, bought))[0] == "merged"

    guesses = await at_once(*(bind(people[0], "WR0NG") for _ in range(12)))
    assert kinds(guesses) == [CardCodeWrong.__name__] * 4 + [CardGuessLocked.__name__] * 8


async def test_what_comes_to_a_merged_member_after_all_follows_to_the_survivor(
    sessions: SessionFactory, seal: Seal
) -> None:
    counter: Counter = await given_counter(sessions, seal=seal)
    async with transaction(sessions) as tx:
        someone = await given_someone(tx, counter, balance_fen=1_000)
    one = someone.member_id
    assert one is not None
    merged = await merge(sessions, one, counter.member_id)
    async with transaction(sessions) as tx:
        # Past every check, as an undone debit would.
        await given_balance(tx, one, counter.store.id, principal_fen=250)
    for _ in range(2):
        async with transaction(sessions) as tx:
            await gather_merged(tx, NOON)
    assert await balance_of(sessions, one) == 0
    assert await balance_of(sessions, counter.member_id) == 11_250
    async with transaction(sessions) as tx:
        await unmerge_members(
            tx,
            request_id=new_request_id(),
            merge_id=merged.merge_id,
            by=Actor("staff"),
            now=NOON,
        )
    assert await balance_of(sessions, one) == 1_250

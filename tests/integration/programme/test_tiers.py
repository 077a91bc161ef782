"""Tiers: up at once by spend or visits, kept for term and grace, down to what is justified."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.crm.statuses import TierMoveReason
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import MemberId, new_id, new_request_id
from o2o.membership.actions.change_tiers import (
    date_tiers,
    lapse_tiers,
    raise_tiers,
    take_back_tier,
)
from o2o.membership.actions.give_tier import GiveTier, give_tier
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_programme import ReasonMissing, TierNotForSale, TierNotFound
from o2o.membership.events import TierChanged
from o2o.membership.queries.tiers import get_tier_progress, list_tier_moves
from o2o.stores.queries import list_tiers
from o2o.web.errors import RoleMissing
from tests.factories.members import Counter, count
from tests.factories.programme import People, charge, given_tiers, reverse, tier_of
from tests.fakes.clock import NOON

# Twelve months on, at the end of the month.
TERM_END = datetime(2027, 11, 30, 16, tzinfo=UTC)
GRACE_END = TERM_END + timedelta(days=30)


@pytest.fixture
async def ladder(sessions: SessionFactory, counter: Counter) -> None:
    await given_tiers(
        sessions,
        counter,
        silver={"spend_from_fen": 10_000, "visits_from": 3},
        gold={"spend_from_fen": 50_000},
        black={"price_fen": 99_900},
    )


async def rise(sessions: SessionFactory, member_id: MemberId, *, now: datetime = NOON) -> int:
    async with transaction(sessions) as tx:
        return await raise_tiers(tx, [member_id], now=now)


async def lapse(sessions: SessionFactory, *, now: datetime) -> int:
    async with transaction(sessions) as tx:
        return await lapse_tiers(tx, now=now, most=100)


async def moves(sessions: SessionFactory, member_id: MemberId) -> list[tuple[str, str, str]]:
    async with sessions() as tx:
        found = await list_tier_moves(tx, member_id)
    return [(move.from_name, move.to_name, move.reason) for move in reversed(found)]


async def test_spend_leads_up_at_once_and_for_a_term(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 9_999, now=NOON)
    assert await rise(sessions, counter.member_id) == 0
    await charge(sessions, counter, 1, now=NOON)
    assert await rise(sessions, counter.member_id) == 1
    assert await rise(sessions, counter.member_id) == 0
    assert await tier_of(sessions, counter.member_id) == ("silver", TERM_END)
    assert await moves(sessions, counter.member_id) == [("普通会员", "silver", "spend")]
    assert await count(sessions, "outbox_messages", f"topic = '{TierChanged.name}'") == 1


async def test_visits_on_different_days_lead_up_as_well(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    for hours in (0, 1, 24):
        await charge(sessions, counter, 100, now=NOON + timedelta(hours=hours))
    assert await rise(sessions, counter.member_id) == 0
    async with sessions() as tx:
        progress = await get_tier_progress(tx, counter.member_id, now=NOON + timedelta(days=1))
    assert (progress.visits, progress.missing_visits, progress.missing_fen) == (2, 1, 9_700)
    await charge(sessions, counter, 100, now=NOON + timedelta(days=2))
    assert await rise(sessions, counter.member_id, now=NOON + timedelta(days=2)) == 1
    assert await moves(sessions, counter.member_id) == [("普通会员", "silver", "visits")]


async def test_risen_at_once_by_many_it_is_one_move(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 60_000, now=NOON)
    done = await asyncio.gather(*(rise(sessions, counter.member_id) for _ in range(5)))
    assert sorted(done) == [0, 0, 0, 0, 1]
    assert await count(sessions, "tier_moves") == 1
    assert (await tier_of(sessions, counter.member_id))[0] == "gold"


async def test_the_tier_is_kept_through_its_grace_and_then_falls_to_what_is_justified(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 60_000, now=NOON)
    await rise(sessions, counter.member_id)
    await charge(sessions, counter, 12_000, now=TERM_END - timedelta(days=100))
    assert await lapse(sessions, now=GRACE_END - timedelta(seconds=1)) == 0
    assert (await tier_of(sessions, counter.member_id))[0] == "gold"
    assert await lapse(sessions, now=GRACE_END) == 1
    tier, until = await tier_of(sessions, counter.member_id)
    assert (tier, until) == ("silver", datetime(2028, 12, 31, 16, tzinfo=UTC))
    assert (await moves(sessions, counter.member_id))[-1] == ("gold", "silver", "lapsed")


async def test_who_reaches_it_again_keeps_it_for_another_term(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 60_000, now=NOON)
    await rise(sessions, counter.member_id)
    # Half within the term, half in the grace after it.
    await charge(sessions, counter, 30_000, now=TERM_END - timedelta(days=300))
    await charge(sessions, counter, 20_000, now=TERM_END + timedelta(days=10))
    assert await lapse(sessions, now=GRACE_END) == 1
    assert (await tier_of(sessions, counter.member_id))[0] == "gold"
    assert (await moves(sessions, counter.member_id))[-1] == ("gold", "gold", "renewed")


async def test_a_charge_in_the_grace_renews_at_once(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 10_000, now=NOON)
    await rise(sessions, counter.member_id)
    late = TERM_END + timedelta(days=3)
    await charge(sessions, counter, 10_000, now=late)
    assert await rise(sessions, counter.member_id, now=late) == 1
    assert await moves(sessions, counter.member_id) == [
        ("普通会员", "silver", "spend"),
        ("silver", "silver", "renewed"),
    ]
    assert await lapse(sessions, now=GRACE_END) == 0


async def test_the_lowest_tier_has_no_end(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 10_000, now=NOON)
    await rise(sessions, counter.member_id)
    assert await lapse(sessions, now=GRACE_END) == 1
    assert await tier_of(sessions, counter.member_id) == ("basic", None)
    assert await lapse(sessions, now=GRACE_END + timedelta(days=999)) == 0


async def test_a_reversed_charge_takes_the_rise_back_that_rested_on_it(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 12_000, now=NOON)
    await rise(sessions, counter.member_id)
    large = await charge(sessions, counter, 60_000, now=NOON + timedelta(days=1))
    await rise(sessions, counter.member_id, now=NOON + timedelta(days=1))
    assert (await tier_of(sessions, counter.member_id))[0] == "gold"

    async def take_back() -> bool:
        async with transaction(sessions) as tx:
            return await take_back_tier(tx, counter.member_id, now=NOON + timedelta(days=2))

    await reverse(sessions, counter, large, now=NOON + timedelta(days=2), amount=22_000)
    # 50,000 are left, which is gold still.
    assert await take_back() is False
    await reverse(sessions, counter, large, now=NOON + timedelta(days=2))
    assert await take_back() is True
    assert await take_back() is False
    assert (await tier_of(sessions, counter.member_id))[0] == "silver"
    assert (await moves(sessions, counter.member_id))[-1] == ("gold", "silver", "taken_back")


async def test_members_brought_in_with_a_tier_get_an_end_once(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET tier_id = (SELECT id FROM tiers WHERE code = 'gold')")
        )
    for expected in (1, 0):
        async with transaction(sessions) as tx:
            assert await date_tiers(tx, now=NOON, most=10) == expected
    assert await tier_of(sessions, counter.member_id) == ("gold", TERM_END)


async def test_the_history_of_tiers_stands(
    sessions: SessionFactory, counter: Counter, ladder: None
) -> None:
    await charge(sessions, counter, 10_000, now=NOON)
    await rise(sessions, counter.member_id)
    for statement in ("UPDATE tier_moves SET note = 'x'", "DELETE FROM tier_moves"):
        with pytest.raises(IntegrityError):
            async with transaction(sessions) as tx:
                await tx.execute(text(statement))
    with pytest.raises(IntegrityError):
        async with transaction(sessions) as tx:
            # By hand, but by nobody.
            await tx.execute(
                text(
                    "INSERT INTO tier_moves (id, member_id, from_tier_id, to_tier_id, reason,"
                    " moved_at) SELECT gen_random_uuid(), member_id, to_tier_id, from_tier_id,"
                    " :reason, moved_at FROM tier_moves"
                ),
                {"reason": TierMoveReason.BY_HAND.value},
            )


async def test_a_tier_given_by_hand_or_paid_for_holds_for_its_term(
    sessions: SessionFactory, counter: Counter, ladder: None, people: People
) -> None:
    async with sessions() as tx:
        tiers = {tier.code: tier.id for tier in await list_tiers(tx, counter.brand.id)}

    async def give(code: str, **changes: Any) -> None:
        command = GiveTier(
            **{
                "request_id": new_request_id(),
                "brand_id": counter.brand.id,
                "member_id": counter.member_id,
                "tier_id": tiers.get(code, new_id()),
                "is_paid": False,
                "why": "开业嘉宾",
                "staff_id": people.manager,
                **changes,
            }
        )
        async with transaction(sessions) as tx:
            await give_tier(tx, command, now=NOON)

    for fact, code, changes in (
        (RoleMissing, "gold", {"staff_id": people.store_manager}),
        (RoleMissing, "gold", {"staff_id": people.agent}),
        (ReasonMissing, "gold", {"why": " "}),
        (MemberNotFound, "gold", {"member_id": new_id()}),
        (TierNotFound, "none", {}),
        (TierNotForSale, "gold", {"is_paid": True}),
    ):
        with pytest.raises(fact):
            await give(code, **changes)
    assert await count(sessions, "tier_moves") == 0
    same = new_request_id()
    await give("gold", request_id=same)
    await give("gold", request_id=same)
    with pytest.raises(RequestBodyDiffers):
        await give("silver", request_id=same)
    assert await tier_of(sessions, counter.member_id) == ("gold", TERM_END)
    await give("black", is_paid=True, why="小票 20261120-7")
    assert [move[2] for move in await moves(sessions, counter.member_id)] == ["by_hand", "paid"]
    # What the charges justify does not take it away before its end.
    assert await rise(sessions, counter.member_id) == 0
    assert await lapse(sessions, now=GRACE_END) == 1
    assert (await tier_of(sessions, counter.member_id))[0] == "basic"

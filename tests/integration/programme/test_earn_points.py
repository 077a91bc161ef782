"""Points of a charge: earned once, taken back exactly, whatever order the news comes in."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import MemberId, StoreId, TransferId, new_request_id
from o2o.ledger.actions.spend_points import SpendPoints, spend_points
from o2o.ledger.verify import verify_ledger
from o2o.membership.actions.earn_points import settle_points
from tests.factories.members import Counter, count
from tests.factories.programme import charge, given_rules, given_tiers, points_of, reverse
from tests.fakes.clock import NOON

LATER = NOON + timedelta(hours=1)


async def settle(sessions: SessionFactory, transfer_id: TransferId) -> None:
    async with transaction(sessions) as tx:
        await settle_points(tx, transfer_id, now=LATER)


async def spend(sessions: SessionFactory, at: Counter, points: int) -> None:
    command = SpendPoints(
        request_id=new_request_id(),
        member_id=at.member_id,
        store_id=StoreId(at.store.id),
        points=points,
        now=LATER,
    )
    async with transaction(sessions) as tx:
        [done] = await spend_points(tx, [command])
    assert not isinstance(done, Exception), done


async def owed(sessions: SessionFactory) -> tuple[int, int]:
    async with sessions() as tx:
        row = (
            await tx.execute(text("SELECT sum(taken_back), sum(owed) FROM points_earnings"))
        ).one()
    return int(row[0]), int(row[1])


async def test_a_charge_earns_once_by_the_rule_and_the_tier(
    sessions: SessionFactory, counter: Counter
) -> None:
    await given_rules(sessions, counter, points_per_yuan=2, points_valid_months=12)
    await given_tiers(sessions, counter, gold={"points_multiplier_bp": 12_500})
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET tier_id = (SELECT id FROM tiers WHERE code = 'gold')")
        )
    done = await charge(sessions, counter, 3_899, now=NOON)
    for _ in range(3):
        await settle(sessions, done)
    # 38.99 yuan · 2 · 1.25 = 97.475
    assert await points_of(sessions, counter.member_id) == 97
    async with sessions() as tx:
        lot = (
            await tx.execute(
                text("SELECT granted, expires_at FROM ledger_lots WHERE kind='points'")
            )
        ).one()
    # To the end of the November after, in the store's zone.
    assert tuple(lot) == (97, datetime(2027, 11, 30, 16, tzinfo=UTC))


async def test_at_once_settles_once(sessions: SessionFactory, counter: Counter) -> None:
    done = await charge(sessions, counter, 10_000, now=NOON)
    await asyncio.gather(*(settle(sessions, done) for _ in range(6)))
    assert await points_of(sessions, counter.member_id) == 100
    assert await count(sessions, "points_earnings") == 1


async def test_a_brand_that_gives_no_points_gives_none(
    sessions: SessionFactory, counter: Counter
) -> None:
    await given_rules(sessions, counter, points_per_yuan=0)
    done = await charge(sessions, counter, 10_000, now=NOON)
    await settle(sessions, done)
    await reverse(sessions, counter, done, now=LATER)
    await settle(sessions, done)
    assert await points_of(sessions, counter.member_id) == 0
    assert await count(sessions, "ledger_transfers", "asset = 'points'") == 0


async def test_what_is_reversed_in_pieces_leaves_exactly_nothing(
    sessions: SessionFactory, counter: Counter
) -> None:
    done = await charge(sessions, counter, 9_999, now=NOON)
    await settle(sessions, done)
    assert await points_of(sessions, counter.member_id) == 99
    left = []
    for amount in (3_333, 3_333, None):
        await reverse(sessions, counter, done, now=LATER, amount=amount)
        await settle(sessions, done)
        await settle(sessions, done)
        left.append(await points_of(sessions, counter.member_id))
    assert left == [66, 33, 0]
    assert await owed(sessions) == (99, 0)
    assert (await verify_ledger(sessions)).is_sound


async def test_a_reversal_that_is_heard_of_first_changes_nothing_in_the_end(
    sessions: SessionFactory, counter: Counter
) -> None:
    done = await charge(sessions, counter, 10_000, now=NOON)
    await reverse(sessions, counter, done, now=NOON, amount=4_000)
    await settle(sessions, done)
    assert await points_of(sessions, counter.member_id) == 60
    await reverse(sessions, counter, done, now=LATER)
    await settle(sessions, done)
    assert await points_of(sessions, counter.member_id) == 0


async def test_spent_points_of_a_reversed_charge_are_kept_from_what_comes_next(
    sessions: SessionFactory, counter: Counter
) -> None:
    done = await charge(sessions, counter, 10_000, now=NOON)
    await settle(sessions, done)
    await spend(sessions, counter, 70)
    await reverse(sessions, counter, done, now=LATER)
    await settle(sessions, done)
    assert await points_of(sessions, counter.member_id) == 0
    assert await owed(sessions) == (30, 70)

    await settle(sessions, await charge(sessions, counter, 5_000, now=LATER))
    assert (await points_of(sessions, counter.member_id), await owed(sessions)) == (0, (80, 20))
    await settle(sessions, await charge(sessions, counter, 6_000, now=LATER))
    assert (await points_of(sessions, counter.member_id), await owed(sessions)) == (40, (100, 0))
    assert (await verify_ledger(sessions)).is_sound


async def test_the_first_charge_of_a_day_earns_the_visit_and_gives_it_up_when_reversed(
    sessions: SessionFactory, counter: Counter
) -> None:
    await given_rules(sessions, counter, visit_points=20)
    first = await charge(sessions, counter, 1_000, now=NOON)
    second = await charge(sessions, counter, 1_000, now=LATER)
    for done in (first, second, first):
        await settle(sessions, done)
    assert await points_of(sessions, counter.member_id) == 40
    await reverse(sessions, counter, first, now=LATER)
    await settle(sessions, first)
    assert await points_of(sessions, counter.member_id) == 10
    third = await charge(sessions, counter, 1_000, now=LATER)
    await settle(sessions, third)
    # The day's visit is free again, and the next day is another one.
    assert await points_of(sessions, counter.member_id) == 40
    await settle(sessions, await charge(sessions, counter, 1_000, now=NOON + timedelta(days=1)))
    assert await points_of(sessions, counter.member_id) == 70


async def test_a_deleted_member_earns_nothing(sessions: SessionFactory, counter: Counter) -> None:
    done = await charge(sessions, counter, 1_000, now=NOON)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET status = 'deleted', deleted_at = :now"), {"now": NOON}
        )
    await settle(sessions, done)
    await settle(sessions, TransferId(MemberId(counter.member_id)))
    assert await points_of(sessions, counter.member_id) == 0

"""Points for events, once; and the word that they end, once per month and distance."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import StoreId, new_request_id
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.membership.actions.give_points import give_birthday_gifts, give_joining_points
from o2o.membership.actions.remind_of_expiry import remind_of_expiry
from tests.factories.members import Counter, count, given_fan
from tests.factories.programme import given_rules, points_of
from tests.fakes.clock import NOON


async def born(sessions: SessionFactory, day: date) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE members SET birthday = :day"), {"day": day})


async def gifts(sessions: SessionFactory, *, now: datetime) -> int:
    async with transaction(sessions) as tx:
        return await give_birthday_gifts(tx, now=now, most=100)


@pytest.fixture
async def generous(sessions: SessionFactory, counter: Counter) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE tiers SET birthday_points = 88"))


async def test_a_birthday_is_given_once_a_year_whatever_it_is_changed_to(
    sessions: SessionFactory, counter: Counter, generous: None
) -> None:
    await born(sessions, date(1990, 11, 20))
    assert await gifts(sessions, now=NOON - timedelta(days=1)) == 0
    given = await asyncio.gather(*(gifts(sessions, now=NOON) for _ in range(4)))
    assert sum(given) == 1
    await born(sessions, date(1990, 11, 21))
    assert await gifts(sessions, now=NOON + timedelta(days=1)) == 0
    assert await points_of(sessions, counter.member_id) == 88
    assert await gifts(sessions, now=NOON + timedelta(days=366)) == 1
    assert await points_of(sessions, counter.member_id) == 176


@pytest.mark.parametrize(
    "birthday, now, given",
    [
        # Already the 21st in Shanghai.
        (date(1990, 11, 21), datetime(2026, 11, 20, 16, tzinfo=UTC), 1),
        # Two days late because nothing ran; three are too many.
        (date(1990, 11, 18), NOON, 1),
        (date(1990, 11, 17), NOON, 0),
        # Born on the last of a leap February.
        (date(1992, 2, 29), datetime(2027, 2, 28, 4, tzinfo=UTC), 1),
        (date(1992, 2, 29), datetime(2028, 2, 28, 4, tzinfo=UTC), 0),
        (date(1992, 2, 29), datetime(2028, 2, 29, 4, tzinfo=UTC), 1),
        (date(1990, 12, 31), datetime(2027, 1, 1, 4, tzinfo=UTC), 1),
    ],
)
async def test_the_day_is_the_stores(
    sessions: SessionFactory,
    counter: Counter,
    generous: None,
    birthday: date,
    now: datetime,
    given: int,
) -> None:
    await born(sessions, birthday)
    assert await gifts(sessions, now=now) == given


async def test_joining_is_rewarded_once(sessions: SessionFactory, counter: Counter) -> None:
    for rewarded, expected in ((0, 0), (50, 50), (50, 50)):
        await given_rules(sessions, counter, joining_points=rewarded)
        async with transaction(sessions) as tx:
            await give_joining_points(tx, counter.member_id, now=NOON)
        assert await points_of(sessions, counter.member_id) == expected


async def test_reminded_a_month_and_a_week_before_one_message_a_month(
    sessions: SessionFactory, counter: Counter
) -> None:
    end = datetime(2026, 12, 31, 16, tzinfo=UTC)
    async with transaction(sessions) as tx:
        await given_fan(tx, counter.account, member_id=counter.member_id)
        lots: list[dict[str, Any]] = [
            {"points": 30, "expires_at": end - timedelta(days=2)},
            {"points": 12, "expires_at": end},
            {"points": 500, "expires_at": None},
        ]
        await grant_points(
            tx,
            [
                GrantPoints(
                    request_id=new_request_id(),
                    member_id=counter.member_id,
                    store_id=StoreId(counter.store.id),
                    now=NOON,
                    **lot,
                )
                for lot in lots
            ],
        )

    async def remind(days_before_end: int) -> int:
        now = end - timedelta(days=2 + days_before_end)
        async with transaction(sessions) as tx:
            return await remind_of_expiry(tx, now=now, most=100)

    assert await remind(31) == 0
    assert sorted(await asyncio.gather(remind(30), remind(30))) == [0, 1]
    assert [await remind(days) for days in (29, 8, 7, 6, 1)] == [0, 0, 1, 0, 0]
    async with sessions() as tx:
        told = (
            await tx.execute(
                text(
                    "SELECT content #>> '{data,number1}', content #>> '{data,date2}',"
                    " content #>> '{data,number3}' FROM deliveries ORDER BY created_at"
                )
            )
        ).all()
    # What ends later in the same month is counted in, and the first last day is named.
    assert [tuple(row) for row in told] == [("42", "2026年12月29日", "542")] * 2
    assert await count(sessions, "points_reminders") == 2

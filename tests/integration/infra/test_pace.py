"""The pace: what is under way leaves room or not, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from o2o.infra import pace as pace_module
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.outbox import Errand, send
from o2o.infra.pace import NEW_SECONDS, Pace
from tests.fakes.clock import FakeClock

TOPIC = "bell.ring"


async def write(
    sessions: SessionFactory, count: int, *, clock: FakeClock, topic: str = TOPIC
) -> None:
    async with transaction(sessions) as tx:
        await send(tx, [Errand(topic=topic, payload={})] * count, now=clock.now())


async def change(sessions: SessionFactory, statements: Sequence[str]) -> None:
    async with transaction(sessions) as tx:
        for statement in statements:
            await tx.execute(text(statement))


def pace_of(sessions: SessionFactory, clock: FakeClock) -> Pace:
    return Pace(sessions=sessions, clock=clock, topics={TOPIC}, under_way_max=5)


async def test_there_is_room_for_what_first_attempts_leave(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    pace = pace_of(sessions, clock)
    assert await pace.room(9) == 5
    assert await pace.room(2) == 2
    await write(sessions, 3, clock=clock)
    await write(sessions, 4, clock=clock, topic="other.topic")
    assert await pace.room(9) == 2
    under_way = "UPDATE outbox_messages SET attempts = 1, leased_until = now() + interval '1 hour'"
    await change(sessions, [under_way])
    assert await pace.room(9) == 2


@pytest.mark.parametrize(
    "what_became",
    [
        "UPDATE outbox_messages SET attempts = 1",
        "UPDATE outbox_messages SET attempts = 2, leased_until = now() + interval '1 hour'",
        "UPDATE outbox_messages SET dead_at = now()",
        "DELETE FROM outbox_messages",
    ],
)
async def test_what_was_tried_takes_no_room(
    sessions: SessionFactory, clock: FakeClock, what_became: str
) -> None:
    await write(sessions, 5, clock=clock)
    await change(sessions, [what_became])
    assert await pace_of(sessions, clock).room(9) == 5


async def test_what_is_old_takes_no_room(sessions: SessionFactory, clock: FakeClock) -> None:
    await write(sessions, 4, clock=clock)
    clock.advance(seconds=NEW_SECONDS + 1)
    await write(sessions, 1, clock=clock)
    assert await pace_of(sessions, clock).room(9) == 4


async def test_whoever_finds_no_room_waits_until_there_is_some(
    sessions: SessionFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_module, "HOLD_SECONDS", 60.0)
    await write(sessions, 5, clock=clock)
    waiting = asyncio.create_task(pace_of(sessions, clock).room(9))
    done, _ = await asyncio.wait([waiting], timeout=3 * pace_module.LOOK_SECONDS)
    assert not done
    await change(
        sessions,
        ["DELETE FROM outbox_messages WHERE id IN (SELECT id FROM outbox_messages LIMIT 2)"],
    )
    assert await asyncio.wait_for(waiting, timeout=30) == 2


@pytest.mark.parametrize("age, room", [(0, 1), (2, 9)])
async def test_where_errands_are_slow_nobody_waits_for_room(
    sessions: SessionFactory, clock: FakeClock, age: int, room: int
) -> None:
    pace = pace_of(sessions, clock)
    await write(sessions, 3, clock=clock)
    clock.advance(seconds=age)
    await write(sessions, 1, clock=clock)
    assert await pace.room(9) == room


async def test_who_finds_too_little_room_for_long_lets_everybody_in_for_a_while(
    sessions: SessionFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = pace_of(sessions, clock)
    await write(sessions, 4, clock=clock)
    assert await pace.room(9) == 1
    monkeypatch.setattr(pace_module, "HOLD_SECONDS", 0.0)
    assert await pace.room(9) == 9
    # Nobody looks any more.
    monkeypatch.setattr(pace, "_sessions", None)
    assert await pace.room(9) == 9


async def test_a_database_that_does_not_answer_holds_nobody(
    sessions: SessionFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_module, "COUNT_SECONDS", 0.0)
    await write(sessions, 5, clock=clock)
    assert await pace_of(sessions, clock).room(9) == 9


async def test_what_is_due_later_takes_no_room(sessions: SessionFactory, clock: FakeClock) -> None:
    await write(sessions, 5, clock=clock)
    clock.advance(hours=-1)
    assert await pace_of(sessions, clock).room(9) == 5

"""The coalescer: one commit for many, each caller its own outcome, an answer only after it."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from o2o.infra.coalescer import Coalescer, QueueFull
from o2o.infra.database import SessionFactory, Tx
from o2o.kernel.errors import Conflict, Fact

INSERT = text(
    "INSERT INTO handled_messages (subscriber, message_id, handled_at)"
    " SELECT 'test', n, now() FROM unnest(CAST(:numbers AS bigint[])) AS n"
)


class NumberOdd(Conflict):
    code = "number.odd"


class Writer:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def __call__(self, tx: Tx, numbers: Sequence[int]) -> Sequence[int | Fact]:
        self.batches.append(list(numbers))
        if 13 in numbers:
            raise RuntimeError("thirteen")
        await tx.execute(INSERT, {"numbers": [n for n in numbers if n % 2 == 0]})
        return [n if n % 2 == 0 else NumberOdd(number=n) for n in numbers]


async def written(sessions: SessionFactory) -> set[int]:
    async with sessions() as session:
        rows = await session.scalars(text("SELECT message_id FROM handled_messages"))
        return set(rows)


async def test_commands_that_wait_share_a_commit_and_keep_their_own_outcomes(
    sessions: SessionFactory,
) -> None:
    writer = Writer()
    coalescer: Coalescer[int, int] = Coalescer(writer, sessions=sessions)
    outcomes = await asyncio.gather(
        *(coalescer.submit(n) for n in range(40) if n != 13), return_exceptions=True
    )
    assert [o for o in outcomes if isinstance(o, int)] == list(range(0, 40, 2))
    assert sum(isinstance(o, NumberOdd) for o in outcomes) == 19
    assert len(writer.batches) <= 2
    assert await written(sessions) == set(range(0, 40, 2))


async def test_a_command_that_breaks_its_batch_fails_alone(sessions: SessionFactory) -> None:
    coalescer: Coalescer[int, int] = Coalescer(Writer(), sessions=sessions)
    outcomes = await asyncio.gather(
        *(coalescer.submit(n) for n in (2, 4, 13, 6)), return_exceptions=True
    )
    assert [o for o in outcomes if isinstance(o, int)] == [2, 4, 6]
    assert isinstance(outcomes[2], RuntimeError)
    assert await written(sessions) == {2, 4, 6}


async def test_beyond_its_queue_it_refuses_at_once(sessions: SessionFactory) -> None:
    coalescer: Coalescer[int, int] = Coalescer(Writer(), sessions=sessions, queue_max=2)
    tasks = [asyncio.create_task(coalescer.submit(n)) for n in (2, 4, 6)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[:2] == [2, 4]
    assert isinstance(outcomes[2], QueueFull)
    assert await written(sessions) == {2, 4}


async def test_a_batch_takes_no_more_than_there_is_room_for(sessions: SessionFactory) -> None:
    rooms = [1, 3]

    async def room(_: int) -> int:
        return rooms.pop(0) if rooms else 128

    writer = Writer()
    coalescer: Coalescer[int, int] = Coalescer(writer, sessions=sessions, room=room)
    evens = list(range(0, 20, 2))
    assert await asyncio.gather(*(coalescer.submit(n) for n in evens)) == evens
    assert writer.batches == [[0], [2, 4, 6], [8, 10, 12, 14, 16, 18]]


async def test_where_nobody_can_tell_the_room_nobody_waits(sessions: SessionFactory) -> None:
    async def room(_: int) -> int:
        raise RuntimeError("no idea")

    writer = Writer()
    coalescer: Coalescer[int, int] = Coalescer(writer, sessions=sessions, room=room)
    assert await asyncio.gather(*(coalescer.submit(n) for n in (2, 4))) == [2, 4]
    assert writer.batches == [[2, 4]]


async def test_a_caller_that_leaves_does_not_stop_the_others(sessions: SessionFactory) -> None:
    coalescer: Coalescer[int, int] = Coalescer(Writer(), sessions=sessions)
    leaving = asyncio.create_task(coalescer.submit(2))
    staying = asyncio.create_task(coalescer.submit(4))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4
    await coalescer.drain()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await written(sessions) == {2, 4}

"""Open pages are told what differs for them: one read per queue and change for all of them."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.live import Hub, LiveMessage
from o2o.infra.seal import Seal
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.boards import Boards, Seat, known_keys
from o2o.queueing.live import CHANGED, queue_topic
from tests.factories.queues import Hall, called, given_hall, moved, take, taken
from tests.fakes.clock import NOON, FakeClock

TODAY = NOON.date()
LONG_SECONDS = 20.0


@pytest.fixture
async def hall(sessions: SessionFactory, seal: Seal) -> Hall:
    return await given_hall(sessions, seal=seal)


@pytest.fixture
def hub() -> Hub:
    return Hub("postgresql://127.0.0.1/unused")


@pytest.fixture
async def boards(
    hub: Hub, sessions: SessionFactory, clock: FakeClock
) -> AsyncGenerator[Boards, None]:
    boards = Boards(hub=hub, sessions=sessions, clock=clock)
    yield boards
    await boards.close()


def say(hub: Hub, queue_id: UUID, version: int = 0) -> None:
    data: dict[str, Any] = {"queue_id": str(queue_id), "version": version}
    hub.hand_out(LiveMessage(queue_topic(queue_id), CHANGED, data))


async def rung(seat: Seat) -> Seat:
    assert await seat.bell.wait(seconds=LONG_SECONDS)
    return seat


async def test_every_seat_learns_its_place_and_what_changes_it(
    hall: Hall, hub: Hub, boards: Boards, sessions: SessionFactory
) -> None:
    tickets = await taken(sessions, *[take(hall.a) for _ in range(40)])
    async with AsyncExitStack() as open_pages:
        seats = [
            await open_pages.enter_async_context(boards.watch((hall.a, TODAY), one.ticket_id))
            for one in tickets
        ]
        for seat in seats:
            await rung(seat)
        assert [seat.seen.ahead for seat in seats if seat.seen] == list(range(40))
        # Forty pages that open together are one board; it looks again for those who came late.
        assert boards.reads <= 2
        before = boards.reads

        await called(sessions, hall.a)
        say(hub, hall.a)
        for seat in seats:
            await rung(seat)
        assert boards.reads == before + 1
        first = seats[0].seen
        assert first is not None
        assert (first.status, first.ahead) == ("called", None)
        assert first.mark.startswith("called:")
        assert [seat.seen.ahead for seat in seats[1:] if seat.seen] == list(range(39))
        assert seats[1].seen is not None
        assert (seats[1].seen.unit, seats[1].seen.low, seats[1].seen.high) == ("minutes", "0", "5")

        # Who leaves from the middle concerns those behind alone.
        await moved(sessions, Verb.CANCEL, tickets[20].ticket_id)
        say(hub, hall.a)
        await rung(seats[39])
        assert [await seat.bell.wait(seconds=0) for seat in seats[1:20]] == [False] * 19
        assert seats[20].seen is not None
        assert seats[20].seen.status == "cancelled"
    assert list(known_keys(boards)) == []


async def test_a_priority_number_moves_others_back_and_ends_are_seen(
    hall: Hall, hub: Hub, boards: Boards, sessions: SessionFactory
) -> None:
    [ticket] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a)
    async with boards.watch((hall.a, TODAY), ticket.ticket_id) as seat:
        await rung(seat)
        marks = [seat.seen.mark if seat.seen else ""]
        for verb in (Verb.SKIP, Verb.RETURN, Verb.SEAT):
            await moved(sessions, verb, ticket.ticket_id)
            say(hub, hall.a)
            await rung(seat)
            assert seat.seen is not None
            marks.append(seat.seen.mark.split(":")[0])
    assert marks[1:] == ["skipped", "waiting", "seated"]


async def test_a_database_that_is_away_is_asked_again(
    hall: Hall, hub: Hub, boards: Boards, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from o2o.queueing import boards as module  # noqa: PLC0415 - the name that is looked up
    from o2o.queueing.queries import lines  # noqa: PLC0415 - and where it comes from

    [ticket] = await taken(sessions, take(hall.a))
    real, failures = lines.list_lines, [2]

    async def fails_twice(*args: Any, **named: Any) -> Any:
        if failures[0]:
            failures[0] -= 1
            raise OSError
        return await real(*args, **named)

    monkeypatch.setattr(module, "list_lines", fails_twice)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)
    async with boards.watch((hall.a, TODAY), ticket.ticket_id) as seat:
        await rung(seat)
        assert seat.seen is not None
        assert seat.seen.ahead == 0

"""A bounded share of the attack on numbers; `python -m chaos numbers` makes 50 rounds of it."""

from collections.abc import AsyncGenerator

import pytest

from chaos.numbers import PROCESSES, take_rounds
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.infra.seal import Seal
from tests.factories.queues import given_hall, given_queue
from tests.fakes.clock import NOON


@pytest.fixture
async def processes(database_url: str) -> AsyncGenerator[list[SessionFactory], None]:
    """Connections of their own for each of several processes."""
    engines = [create_engine(database_url, pool_size=1) for _ in range(PROCESSES)]
    yield [create_sessions(engine) for engine in engines]
    for engine in engines:
        await engine.dispose()


async def test_five_hundred_at_once_across_the_turn_of_the_day(
    sessions: SessionFactory, processes: list[SessionFactory], seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        other = await given_queue(tx, hall.store, code="D")

    verdict = await take_rounds(processes, [hall.a, other], rounds=1, first_on=NOON.date())

    assert verdict.is_right, verdict.lines()

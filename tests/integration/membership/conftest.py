"""A counter with a pad in each of two stores, and the till that serves it."""

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.membership.till import Till
from tests.factories.members import Counter, given_counter
from tests.fakes.clock import FakeClock


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal)


@pytest.fixture
def till(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Till:
    return Till(sessions=sessions, seal=seal, clock=clock, public_url="http://127.0.0.1:8000")

"""A counter whose account people follow."""

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from tests.factories.members import Counter, given_counter


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal)

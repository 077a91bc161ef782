"""A counter whose member has 2,000 yuan on the card, and the people who keep the programme."""

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from tests.factories.members import Counter, given_counter
from tests.factories.programme import People, given_people


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal, balance_fen=200_000)


@pytest.fixture
async def people(sessions: SessionFactory, counter: Counter) -> People:
    return await given_people(sessions, counter)

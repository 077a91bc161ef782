"""A counter with a member who has money, and another member of the brand."""

import pytest

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId
from tests.factories.members import Counter, given_counter, given_member


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal, balance_fen=10_000)


@pytest.fixture
async def friend(sessions: SessionFactory, counter: Counter) -> MemberId:
    """Another member of the same brand, unnamed, with an empty card."""
    async with transaction(sessions) as tx:
        return await given_member(tx, counter.brand)

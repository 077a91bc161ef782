"""A counter whose member has 2,000 yuan on the card, and the people who keep the programme."""

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from tests.factories.members import Counter, given_counter
from tests.factories.programme import People, given_people


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    at = await given_counter(sessions, seal=seal, balance_fen=200_000)
    async with transaction(sessions) as tx:
        # Named, so that the card may hold that much.
        await tx.execute(
            text("UPDATE members SET name = '林晓月', phone_verified_at = now() WHERE id = :id"),
            {"id": at.member_id},
        )
    return at


@pytest.fixture
async def people(sessions: SessionFactory, counter: Counter) -> People:
    return await given_people(sessions, counter)

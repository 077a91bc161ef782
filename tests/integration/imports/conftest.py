"""An office: a brand with a store, somebody from marketing and somebody from finance."""

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from tests.factories.imports import Office, given_office
from tests.fakes.clock import FakeClock


@pytest.fixture
async def office(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Office:
    return await given_office(sessions, seal=seal, clock=clock)

"""A member's phone, somebody's who is none yet, and a client for their pages."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.web.platform import Platform
from tests.factories.diners import DinerSession, client_of, diner_platform, given_diner
from tests.factories.members import Counter, given_counter
from tests.fakes.clock import FakeClock


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal)


@pytest.fixture
def platform(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Platform:
    return diner_platform(sessions, seal=seal, clock=clock)


@pytest.fixture
async def nobody(platform: Platform) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A browser that WeChat has not named."""
    async with client_of(platform) as client:
        yield client


@pytest.fixture
async def member(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> DinerSession:
    return await given_diner(sessions, counter, seal=seal, clock=clock)


@pytest.fixture
async def newcomer(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> DinerSession:
    return await given_diner(sessions, counter, seal=seal, clock=clock, is_member=False)


@pytest.fixture
async def phone(
    platform: Platform, member: DinerSession
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """The member's browser."""
    async with client_of(platform) as client:
        client.cookies.update(member.cookies)
        yield client


@pytest.fixture
async def new_phone(
    platform: Platform, newcomer: DinerSession
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """The browser of somebody without a card."""
    async with client_of(platform) as client:
        client.cookies.update(newcomer.cookies)
        yield client

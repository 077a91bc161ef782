"""Two stores with queues, their people, and browsers at their pads."""

from collections.abc import AsyncGenerator

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.queueing.web import console_queues
from o2o.web.platform import Platform
from tests.factories.halls import Halls, at_pad, given_halls, hall_browser
from tests.factories.pads import Browser, counter_platform
from tests.fakes.clock import FakeClock


@pytest.fixture
async def halls(sessions: SessionFactory, seal: Seal) -> Halls:
    return await given_halls(sessions, seal=seal)


@pytest.fixture
def platform(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Platform:
    platform = counter_platform(sessions, seal=seal, clock=clock)
    console_queues.add_to_menu(platform.console_menu)
    return platform


@pytest.fixture
async def browser(platform: Platform) -> AsyncGenerator[Browser, None]:
    async with hall_browser(platform) as fresh:
        yield fresh


@pytest.fixture
async def pad(
    platform: Platform, sessions: SessionFactory, halls: Halls, seal: Seal, clock: FakeClock
) -> AsyncGenerator[Browser, None]:
    """The first store's pad, its clerk looking at the queues."""
    async with hall_browser(platform) as fresh:
        yield await at_pad(fresh, halls.pad, sessions, seal=seal, clock=clock)

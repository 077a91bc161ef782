"""A counter with a clerk signed in at its pad, a second browser, and what they can reach."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.web.platform import Platform
from tests.factories.members import Counter, given_counter
from tests.factories.pads import (
    Browser,
    browser_of,
    counter_platform,
    given_code,
    signed_in_at,
)
from tests.fakes.clock import FakeClock


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    """A member with 100 yuan, two pads in one store and one far away."""
    return await given_counter(sessions, seal=seal)


@pytest.fixture
def platform(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Platform:
    return counter_platform(sessions, seal=seal, clock=clock)


@pytest.fixture
async def browser(platform: Platform) -> AsyncGenerator[Browser, None]:
    """A browser that is no pad."""
    fresh = browser_of(platform)
    yield fresh
    await fresh.client.aclose()


@pytest.fixture
async def pad(
    platform: Platform, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> AsyncGenerator[Browser, None]:
    """The pad of the first store, its clerk signed in and looking at the scan page."""
    browser = browser_of(platform)
    await browser.become(await signed_in_at(counter.pad, sessions, seal=seal, clock=clock))
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def far_pad(
    platform: Platform, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> AsyncGenerator[Browser, None]:
    """The pad of the other store, its own clerk signed in."""
    browser = browser_of(platform)
    await browser.become(await signed_in_at(counter.far_pad, sessions, seal=seal, clock=clock))
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def code(sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock) -> str:
    """A live code on the member's phone."""
    return await given_code(sessions, seal=seal, member_id=counter.member_id, clock=clock)


@pytest.fixture
async def visit_id(pad: Browser, code: str) -> UUID:
    """A visit that the pad just opened."""
    answer = await pad.post("/pad/visits", scanned=code)
    assert answer.status_code == 200, answer.text
    return UUID(answer.json()["next"].removeprefix("/pad/visits/"))

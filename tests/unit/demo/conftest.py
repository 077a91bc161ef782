"""The demo's world and one history of it, made once for all tests of this folder."""

from datetime import UTC, datetime

import pytest

from o2o.app.demo.history import DemoHistory, write_history
from o2o.app.demo.world import World, load_world

# A Sunday noon in Shanghai.
NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def world() -> World:
    return load_world()


@pytest.fixture(scope="session")
def history(world: World) -> DemoHistory:
    return write_history(world, now=NOON)

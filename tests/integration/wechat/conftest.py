"""One official account with running services and somebody to push callbacks at it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text

from o2o.crm.statuses import CallbackMode
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.logging import configure_logging
from o2o.infra.seal import Seal
from o2o.wechat.services import WeChatServices
from tests.factories.organisation import given_account, given_brand
from tests.factories.wechat import Pusher, running_services
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="session", autouse=True)
def _logging() -> None:
    """Log as in production: the fallback draws each traceback with all its variables."""
    configure_logging(as_json=True)


@pytest.fixture
def mode() -> CallbackMode:
    """The account's mode; parametrise to change it."""
    return CallbackMode.SAFE


@pytest.fixture
async def slug(sessions: SessionFactory, seal: Seal, mode: CallbackMode) -> str:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal, mode=mode)
        return account.slug


@pytest.fixture
async def services(
    slug: str, sessions: SessionFactory, seal: Seal, clock: FakeClock, tmp_path: Path
) -> AsyncGenerator[WeChatServices, None]:
    async with running_services(
        sessions=sessions, seal=seal, clock=clock, data_dir=tmp_path
    ) as services:
        yield services


@pytest.fixture
async def pusher(services: WeChatServices, slug: str, clock: FakeClock) -> Pusher:
    return Pusher(services, await services.accounts.get(slug), clock)


async def count(sessions: SessionFactory, table: str, where: str = "true") -> int:
    async with sessions() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)

"""A brand with members worth knowing, people of every role, and their consoles."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from o2o.app.http import create_http_app
from o2o.crm.members import Member
from o2o.crm.organisation import Brand
from o2o.crm.statuses import Audience, StaffRoleName
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import StaffId
from o2o.membership.web import console_dossier, console_members, console_merge
from o2o.staff.web import route_handlers as staff_pages
from o2o.stores.web import styles
from o2o.web.actions.keep_sessions import open_session
from o2o.web.edge import Edge
from o2o.web.platform import Platform
from tests.factories.members import Counter, given_counter, given_member
from tests.factories.pads import BASE_URL, Browser, counter_platform
from tests.factories.staff import given_staff
from tests.fakes.clock import FakeClock

Console = Callable[[StaffRoleName], Awaitable[Browser]]


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    """A member with 100 yuan, and a second store."""
    return await given_counter(sessions, seal=seal)


@pytest.fixture
async def service(sessions: SessionFactory, counter: Counter) -> StaffId:
    """A service agent of the brand."""
    async with transaction(sessions) as tx:
        return await given_staff(tx, counter.brand, role=StaffRoleName.SERVICE)


@pytest.fixture
def platform(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Platform:
    platform = counter_platform(sessions, seal=seal, clock=clock)
    console_members.add_to_menu(platform.console_menu)
    console_merge.register(platform.panels)
    return platform


@pytest.fixture
async def console(
    platform: Platform, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> AsyncGenerator[Console, None]:
    """Sign somebody of a role in at a console of their own; a manager is one of the first store."""
    app = create_http_app(
        platform,
        pages=[
            *staff_pages,
            *styles.route_handlers,
            *console_members.route_handlers,
            *console_dossier.route_handlers,
            *console_merge.route_handlers,
        ],
        api=[],
        state={},
        dependencies={},
    )
    edge: Any = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    opened: list[Browser] = []

    async def sign_in(role: StaffRoleName) -> Browser:
        store_id = counter.store.id if role is StaffRoleName.MANAGER else None
        async with transaction(sessions) as tx:
            staff_id = await given_staff(tx, counter.brand, role=role, store_id=store_id)
            token = await open_session(
                tx, seal=seal, audience=Audience.CONSOLE, staff_id=staff_id, now=clock.now()
            )
        transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
        browser = Browser(httpx.AsyncClient(transport=transport, base_url=BASE_URL))
        browser.client.cookies.set("o2o_console", token)
        opened.append(browser)
        return browser

    yield sign_in
    for browser in opened:
        await browser.client.aclose()


async def given_known(tx: Tx, brand: Brand, name: str | None, *, phone: str | None = None) -> UUID:
    """A member of that name and phone."""
    member_id = await given_member(tx, brand)
    member = await tx.get_one(Member, member_id)
    member.name, member.phone = name, phone
    await tx.flush()
    return member_id

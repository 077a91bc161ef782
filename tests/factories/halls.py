"""A store with queues as its people see it: the pads, the console and the display in one app."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar
from sqlalchemy import text

from o2o.app.http import create_http_app
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.membership.scanners import AtPad
from o2o.queueing.bookings import Bookings
from o2o.queueing.desk_work import Queues
from o2o.queueing.web import (
    console_arrange,
    console_booking_plan,
    console_bookings,
    console_history,
    console_hours,
    console_places,
    console_queues,
    console_rules,
    display,
    pad_queue,
)
from o2o.staff.web import route_handlers as staff_pages
from o2o.stores.web import styles
from o2o.web.edge import Edge
from o2o.web.platform import Platform
from tests.factories.pads import BASE_URL, Browser, signed_in_at
from tests.factories.queues import Hall, given_hall
from tests.factories.staff import PASSWORD, given_pad, given_staff

ROLES = ("manager", "marketer", "service", "auditor", "finance", "clerk", "kitchen")


class Halls(msgspec.Struct, frozen=True, kw_only=True):
    """Two stores of one brand with queues, a pad and a clerk in each, a second pad in the first.

    `manager` manages the first store only; the others of ROLES work for the whole brand.
    """

    here: Hall
    far: Hall
    pad: AtPad
    other_pad: AtPad
    far_pad: AtPad
    kitchen_pad: AtPad


async def given_halls(sessions: SessionFactory, *, seal: Seal) -> Halls:
    """Commit the stores and their people; logins are the names of the roles."""
    here = await given_hall(sessions, seal=seal)
    far = await given_hall(sessions, seal=seal, brand=here.brand)
    async with transaction(sessions) as tx:
        people: dict[str, UUID] = {}
        for role in ROLES:
            store_id = here.store.id if role in {"manager", "clerk", "kitchen"} else None
            people[role] = await given_staff(
                tx, here.brand, role=StaffRoleName(role), store_id=store_id, login=role
            )
        far_clerk = await given_staff(tx, here.brand, store_id=far.store.id, login="farclerk")
        await given_staff(
            tx,
            here.brand,
            role=StaffRoleName.MANAGER,
            store_id=far.store.id,
            login="farmanager",
        )

        async def pad_at(hall: Hall, staff_id: UUID) -> AtPad:
            pad = await given_pad(tx, seal=seal, store_id=hall.store.id)
            return AtPad(
                pad_id=pad.pad_id,
                store_id=hall.store.id,
                staff_id=staff_id,
                brand_id=hall.brand.id,
            )

        return Halls(
            here=here,
            far=far,
            pad=await pad_at(here, people["clerk"]),
            other_pad=await pad_at(here, people["clerk"]),
            far_pad=await pad_at(far, far_clerk),
            kitchen_pad=await pad_at(here, people["kitchen"]),
        )


def hall_app(platform: Platform, *, state: dict[str, Any] | None = None) -> Litestar:
    """The real routes of the queues' screens."""
    return create_http_app(
        platform,
        pages=[
            *staff_pages,
            *pad_queue.route_handlers,
            *display.route_handlers,
            *console_queues.route_handlers,
            *console_arrange.route_handlers,
            *console_rules.route_handlers,
            *console_places.route_handlers,
            *console_bookings.route_handlers,
            *console_booking_plan.route_handlers,
            *console_hours.route_handlers,
            *console_history.route_handlers,
            *styles.route_handlers,
        ],
        api=[],
        state=state or {},
        dependencies={
            "queues": Queues(sessions=platform.sessions),
            "bookings": Bookings(sessions=platform.sessions),
        },
    )


@asynccontextmanager
async def hall_browser(platform: Platform) -> AsyncGenerator[Browser, None]:
    """A fresh browser; it follows no redirects."""
    edge = Edge(hall_app(platform), settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield Browser(client)


async def at_pad(
    browser: Browser, by: AtPad, sessions: SessionFactory, *, seal: Seal, clock: Clock
) -> Browser:
    """Sign in at a pad and look at the queues."""
    browser.client.cookies.clear()
    browser.client.cookies.update(await signed_in_at(by, sessions, seal=seal, clock=clock))
    await browser.see("/pad/queue")
    return browser


async def at_console(browser: Browser, login: str) -> Browser:
    """Sign in at the console."""
    browser.client.cookies.clear()
    await browser.see("/console/sign-in")
    answer = await browser.send("/console/sign-in", login=login, password=PASSWORD)
    assert answer.status_code in {200, 303}, answer.text
    page = await browser.see("/console/queues")
    if page.status_code == 303:  # Somebody with one store is sent there.
        await browser.see(page.headers["location"])
    return browser


async def rows(sessions: SessionFactory, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """What stands in the database."""
    async with sessions() as tx:
        return [tuple(row) for row in await tx.execute(text(statement), values)]

"""The pages and the API of bookings over the tests' database, and who asks for them."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

import httpx

from o2o.app.http import create_http_app
from o2o.crm.members import Fan
from o2o.crm.statuses import Audience
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.queueing.bookings import Bookings
from o2o.queueing.web import (
    api_bookings,
    console_booking_plan,
    console_bookings,
    diner_booking,
    diner_bookings,
)
from o2o.stores.web import styles
from o2o.web.actions.keep_sessions import open_session
from o2o.web.csrf import csrf_token
from o2o.web.edge import Edge
from tests.factories.bookings import Hall
from tests.factories.pads import BASE_URL, counter_platform

_REQUEST_ID = re.compile(r'name="request_id" value="([0-9a-f-]{36})"')


@asynccontextmanager
async def open_pages(
    sessions: SessionFactory, *, seal: Seal, clock: Clock
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client that follows no redirects."""
    platform = counter_platform(sessions, seal=seal, clock=clock)
    app = create_http_app(
        platform,
        pages=[
            *diner_bookings.route_handlers,
            *diner_booking.route_handlers,
            *console_bookings.route_handlers,
            *console_booking_plan.route_handlers,
            *styles.route_handlers,
        ],
        api=[*api_bookings.route_handlers],
        state={},
        dependencies={"bookings": Bookings(sessions=sessions)},
    )
    edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=BASE_URL, headers={"Accept": "text/html"}
    ) as client:
        yield client


class Phone:
    """A phone of a fan: keeps the session, sends forms as a browser without scripts does."""

    def __init__(self, client: httpx.AsyncClient, hall: Hall, *, token: str, csrf: str) -> None:
        self._client = client
        self._cookies = {"Cookie": f"o2o_diner={token}"}
        self._csrf = csrf
        self.here = f"/h5/{hall.account.slug}/bookings"

    async def see(self, path: str = "") -> httpx.Response:
        return await self._client.get(
            path if path.startswith("/") else self.here + path, headers=self._cookies
        )

    async def send(self, path: str = "", **fields: object) -> httpx.Response:
        form = {"csrf": self._csrf, **{name: str(value) for name, value in fields.items()}}
        return await self._client.post(self.here + path, data=form, headers=self._cookies)


async def open_phone(
    sessions: SessionFactory,
    client: httpx.AsyncClient,
    hall: Hall,
    *,
    fan: Fan,
    seal: Seal,
    now: datetime,
) -> Phone:
    async with transaction(sessions) as tx:
        token = await open_session(
            tx, seal=seal, audience=Audience.DINER, now=now, fan_id=fan.id, is_snapshot=False
        )
    csrf = csrf_token(seal, seal.hash_of(token, use="session"))
    return Phone(client, hall, token=token, csrf=csrf)


def request_id_of(page: httpx.Response) -> str:
    """The name under which the page sends what it is asked."""
    found = _REQUEST_ID.search(page.text)
    assert found is not None
    return found.group(1)

"""The counter as browsers see it: an app with the pages of pads and console, and its clients."""

import re
from typing import Any
from uuid import UUID

import httpx
from litestar import Litestar

from o2o.app.http import create_http_app
from o2o.crm.staff import Pad
from o2o.crm.statuses import Audience
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.live import Hub
from o2o.infra.seal import Seal, new_token
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.till import AtPad, Till
from o2o.membership.web import pad as counter_pages
from o2o.membership.web import programme_console
from o2o.staff.web import add_to_menu as add_staff_to_menu
from o2o.staff.web import route_handlers as staff_pages
from o2o.stores.web import styles
from o2o.web.actions.keep_sessions import open_session
from o2o.web.console_menu import ConsoleMenu
from o2o.web.copy import Words
from o2o.web.edge import Edge
from o2o.web.pages import Pages
from o2o.web.panels import Panels
from o2o.web.platform import Platform
from o2o.web.visitors import Visitors

BASE_URL = "http://127.0.0.1:8000"
_CSRF = re.compile(r'<meta name="csrf-token" content="([0-9a-f]*)">')


def counter_platform(
    sessions: SessionFactory,
    *,
    seal: Seal,
    clock: Clock,
    demo: bool = False,
    panels: Panels | None = None,
    public_url: str = BASE_URL,
) -> Platform:
    """The process-wide parts over the tests' database."""
    words = Words()
    console_menu = ConsoleMenu()
    add_staff_to_menu(console_menu)
    settings = Settings(
        secret_key="a key for tests that is long enough", demo=demo, public_url=public_url
    )
    return Platform(
        settings=settings,
        sessions=sessions,
        seal=seal,
        clock=clock,
        visitors=Visitors(sessions, seal=seal, clock=clock),
        hub=Hub("postgresql://127.0.0.1/unused"),
        words=words,
        pages=Pages(words),
        panels=panels or Panels(),
        console_menu=console_menu,
    )


def counter_app(platform: Platform, *, state: dict[str, Any] | None = None) -> Litestar:
    """The real routes, guards and dependencies of pads and console."""
    till = Till(
        sessions=platform.sessions,
        seal=platform.seal,
        clock=platform.clock,
        public_url=platform.settings.public_url,
    )
    return create_http_app(
        platform,
        pages=[
            *staff_pages,
            *counter_pages.route_handlers,
            *programme_console.route_handlers,
            *styles.route_handlers,
        ],
        api=[],
        state=state or {},
        dependencies={"till": till},
    )


class Browser:
    """A browser at the counter: keeps cookies, sends the token of the page it saw last."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def become(self, cookies: dict[str, str]) -> None:
        """Take over a signed-in pad's cookies and look at its first page."""
        self.client.cookies.update(cookies)
        await self.see("/pad/scan")

    async def see(self, path: str, **headers: str) -> httpx.Response:
        """Open a page as a person does."""
        answer = await self.client.get(path, headers={"Accept": "text/html", **headers})
        found = _CSRF.search(answer.text)
        self.csrf = found.group(1) if found else self.csrf
        return answer

    async def send(self, path: str, **fields: object) -> httpx.Response:
        """Send a form as a browser without scripts does."""
        form = {"csrf": self.csrf, **{name: str(value) for name, value in fields.items()}}
        return await self.client.post(path, data=form, headers={"Accept": "text/html"})

    async def post(self, path: str, **fields: object) -> httpx.Response:
        """Send a form as the pad's scripts do."""
        form = {name: str(value) for name, value in fields.items()}
        headers = {"Accept": "application/json", "X-CSRF-Token": self.csrf}
        return await self.client.post(path, data=form, headers=headers)

    async def charge(self, visit_id: UUID, member_id: UUID, yuan: str) -> httpx.Response:
        """Charge an amount, each time as a new intention."""
        return await self.post(
            f"/pad/visits/{visit_id}/charges",
            request_id=new_request_id(),
            member_id=member_id,
            amount_yuan=yuan,
        )


def browser_of(platform: Platform, *, state: dict[str, Any] | None = None) -> Browser:
    """A fresh browser; it follows no redirects."""
    edge = Edge(counter_app(platform, state=state), settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    return Browser(httpx.AsyncClient(transport=transport, base_url=BASE_URL))


async def signed_in_at(
    by: AtPad, sessions: SessionFactory, *, seal: Seal, clock: Clock
) -> dict[str, str]:
    """Sign somebody in at a pad that gets a new secret; return the cookies of its browser."""
    secret = new_token()
    async with transaction(sessions) as tx:
        pad = await tx.get_one(Pad, by.pad_id)
        pad.secret_hash = seal.hash_of(secret, use="pad")
        token = await open_session(
            tx,
            seal=seal,
            audience=Audience.PAD,
            staff_id=by.staff_id,
            pad_id=by.pad_id,
            now=clock.now(),
        )
    return {"o2o_pad_device": secret, "o2o_pad": token}


async def given_code(sessions: SessionFactory, *, seal: Seal, member_id: UUID, clock: Clock) -> str:
    """A live code on the member's phone."""
    async with transaction(sessions) as tx:
        issued = await issue_member_code(tx, seal=seal, member_id=member_id, now=clock.now())
    return issued.code

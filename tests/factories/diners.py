"""Diners with a browser session, and a client that asks for their pages."""

from pathlib import Path
from uuid import UUID

import httpx
import msgspec

from o2o.app.http import create_http_app
from o2o.crm.statuses import Audience
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.live import Hub
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.membership.web import diner as diner_pages
from o2o.membership.web import diner_identity
from o2o.stores.web import styles
from o2o.web.actions.keep_sessions import open_session
from o2o.web.copy import Words
from o2o.web.csrf import csrf_token
from o2o.web.edge import Edge
from o2o.web.pages import Pages
from o2o.web.panels import Panels
from o2o.web.platform import Platform
from o2o.web.visitors import Visitors
from tests.factories.members import Counter, given_fan

BASE_URL = "http://127.0.0.1:8000"
SECRET_KEY = "a key for tests that is long enough"


class DinerSession(msgspec.Struct, frozen=True, kw_only=True):
    """A phone that WeChat has named."""

    slug: str
    fan_id: UUID
    openid: str
    member_id: MemberId | None
    token: str
    csrf: str

    @property
    def cookies(self) -> dict[str, str]:
        return {"o2o_diner": self.token}


async def given_diner(
    sessions: SessionFactory,
    counter: Counter,
    *,
    seal: Seal,
    clock: Clock,
    is_member: bool = True,
    is_snapshot: bool = False,
) -> DinerSession:
    """A fan of the counter's account with a live session, bound to its member or to nobody."""
    member_id = counter.member_id if is_member else None
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, counter.account, member_id=member_id)
        token = await open_session(
            tx,
            seal=seal,
            audience=Audience.DINER,
            now=clock.now(),
            fan_id=fan.id,
            is_snapshot=is_snapshot,
        )
    return DinerSession(
        slug=counter.account.slug,
        fan_id=fan.id,
        openid=fan.openid,
        member_id=member_id,
        token=token,
        csrf=csrf_token(seal, seal.hash_of(token, use="session")),
    )


def diner_platform(
    sessions: SessionFactory,
    *,
    seal: Seal,
    clock: Clock,
    panels: Panels | None = None,
    folder: Path | None = None,
) -> Platform:
    """The process-wide parts over the tests' database; templates from `folder` where given."""
    words = Words()
    return Platform(
        settings=Settings(secret_key=SECRET_KEY, demo=True),
        sessions=sessions,
        seal=seal,
        clock=clock,
        visitors=Visitors(sessions, seal=seal, clock=clock),
        hub=Hub("postgresql://127.0.0.1/unused"),
        words=words,
        pages=Pages(words, folder=folder),
        panels=panels or Panels(),
    )


def client_of(platform: Platform) -> httpx.AsyncClient:
    """A client of the diner's pages; it follows no redirects."""
    app = create_http_app(
        platform,
        pages=[
            *diner_pages.route_handlers,
            *diner_identity.route_handlers,
            *styles.route_handlers,
        ],
        api=[],
        state={},
        dependencies={},
    )
    edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL)

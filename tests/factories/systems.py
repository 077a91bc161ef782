"""Systems with a key: a client for the JSON API, in process, on the tests' database."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from o2o.app.http import create_http_app
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.membership.desk import Desk
from o2o.membership.till import Till
from o2o.membership.web import api
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.staff.rules import SCOPES
from o2o.web.edge import Edge
from tests.factories.diners import BASE_URL, diner_platform
from tests.fakes.clock import NOON


async def given_system(
    sessions: SessionFactory,
    *,
    seal: Seal,
    brand_id: UUID | None,
    scopes: Iterable[str] = SCOPES,
    unattended_debit_fen_max: int = 0,
) -> dict[str, str]:
    """A new key as the header that brings it; with every scope unless said otherwise."""
    async with transaction(sessions) as tx:
        issued = await issue_api_key(
            tx,
            seal=seal,
            brand_id=brand_id,
            name="hall",
            scopes=scopes,
            unattended_debit_fen_max=unattended_debit_fen_max,
            actor=SYSTEM,
            now=NOON,
        )
    return {"Authorization": f"Bearer {issued.token}"}


@asynccontextmanager
async def api_client(
    sessions: SessionFactory, *, seal: Seal, clock: Clock
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client below `/api/v1`; requests bring their key themselves."""
    platform = diner_platform(sessions, seal=seal, clock=clock)
    parts: dict[str, Any] = {"sessions": sessions, "seal": seal, "clock": clock}
    app = create_http_app(
        platform,
        pages=[],
        api=api.route_handlers,
        state={},
        dependencies={"till": Till(**parts), "desk": Desk(**parts)},
    )
    edge = Edge(app, settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE_URL}/api/v1") as client:
        yield client

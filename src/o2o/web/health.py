"""Operations: is the process alive, can it serve, what are its figures."""

import asyncio
import ipaddress
from typing import Any

from litestar import MediaType, Request, Response, get

from o2o.infra.database import DatabaseAway, ping, transaction
from o2o.infra.metrics import OUTBOX_DEAD, OUTBOX_OLDEST, OUTBOX_WAITING, exposition
from o2o.infra.relay_queries import outbox_figures
from o2o.kernel.errors import Fact
from o2o.web.errors import RouteNotFound
from o2o.web.platform import platform_of

READY_SECONDS_MAX = 2.0


@get("/healthz", media_type=MediaType.JSON, include_in_schema=False)
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@get("/readyz", media_type=MediaType.JSON, include_in_schema=False)
async def readyz(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Say whether requests that need the database can be served."""
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            async with transaction(platform_of(request).sessions) as tx:
                await ping(tx)
    except Fact as fact:
        return Response({"status": "unready", "code": fact.code}, status_code=503)
    except TimeoutError:
        return Response({"status": "unready", "code": DatabaseAway.code}, status_code=503)
    return Response({"status": "ready"})


@get("/metrics", media_type="text/plain; version=0.0.4", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any]) -> bytes:
    """Give the figures to a collector on this machine or network, never through a proxy."""
    client = request.client.host if request.client else "127.0.0.1"
    if "x-forwarded-for" in request.headers or ipaddress.ip_address(client).is_global:
        raise RouteNotFound
    try:
        async with transaction(platform_of(request).sessions) as tx:
            figures = await outbox_figures(tx)
    except Fact:
        return exposition()
    OUTBOX_WAITING.set(figures["waiting"])
    OUTBOX_DEAD.set(figures["dead"])
    OUTBOX_OLDEST.set(figures["oldest_seconds"])
    return exposition()

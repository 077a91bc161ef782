"""Puts the sandbox together as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import HttpMethod, Litestar, Request, Response, Router, route
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException

from wechat_sandbox import oauth_pages, phone_files
from wechat_sandbox.api import gateway
from wechat_sandbox.control import (
    access,
    accounts,
    books,
    jssdk,
    messages,
    people,
    scan,
    sms,
    steering,
)
from wechat_sandbox.control import world as world_routes
from wechat_sandbox.sandbox import Sandbox

BODY_BYTES_MAX = 6_000_000


@route(["/cgi-bin/{path:path}", "/sns/{path:path}"], http_method=[HttpMethod.GET, HttpMethod.POST])
async def call_api(
    request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox]
) -> Response[bytes]:
    """Every path of WeChat's API; the gateway tells them apart."""
    return await gateway.answer(sandbox, request)


def create_app(sandbox: Sandbox) -> Litestar:
    """The application around a sandbox, whose courier runs while the application does."""

    @asynccontextmanager
    async def running(_app: Litestar) -> AsyncIterator[None]:
        async with sandbox.running():
            yield

    control_routes = Router(
        path="/_sandbox",
        guards=[access.guard_control],
        route_handlers=[
            *accounts.ROUTES,
            *people.ROUTES,
            *messages.ROUTES,
            *sms.ROUTES,
            *scan.ROUTES,
            *steering.ROUTES,
            *books.ROUTES,
            *world_routes.ROUTES,
            *jssdk.ROUTES,
        ],
    )
    app = Litestar(
        route_handlers=[call_api, control_routes, *oauth_pages.ROUTES, *phone_files.ROUTES],
        dependencies={"sandbox": Provide(lambda: sandbox, sync_to_thread=False)},
        exception_handlers={
            access.Refused: access.show_refusal,
            HTTPException: access.show_http_error,
        },
        after_exception=[access.tell_unexpected],
        lifespan=[running],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_BYTES_MAX,
    )
    app.state.sandbox = sandbox
    return app

"""The Litestar application: routes of all domains, dependencies by name, errors as answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import BaseRoute
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from o2o import __version__
from o2o.web.answers import EXCEPTION_HANDLERS
from o2o.web.copy import webviews_dir
from o2o.web.guards import (
    provide_api_client,
    provide_clerk,
    provide_console_staff,
    provide_diner,
)
from o2o.web.health import healthz, metrics, readyz
from o2o.web.platform import Platform
from o2o.web.transaction import provide_reads, provide_tx

BODY_BYTES_MAX = 1_048_576
IMMUTABLE = "public, max-age=31536000, immutable"


class _DescriptionRouter(Router):
    """Serves the description alone: what else the framework would answer, errors as pages at
    every unknown address below, is left out.
    """

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Take the handlers with a fixed address."""
        if isinstance(value, HTTPRouteHandler) and any("{" in path for path in value.paths):
            return []
        return super().register(value)


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="O2O suite",
        version=__version__,
        description="Members, stored value and counter visits for POS and hall systems.",
        openapi_router=_DescriptionRouter("/api/v1", route_handlers=[], include_in_schema=False),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(
            security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}
        ),
        security=[{"key": []}],
    )


def _static() -> list[Router]:
    static = webviews_dir() / "static"
    (static / "dist").mkdir(parents=True, exist_ok=True)
    return [
        create_static_files_router(
            path="/static/dist", directories=[static / "dist"], cache_control=_cached(IMMUTABLE)
        ),
        create_static_files_router(path="/static", directories=[static]),
    ]


def _cached(value: str) -> Any:
    from litestar.datastructures import CacheControlHeader  # noqa: PLC0415

    return CacheControlHeader.from_header(value)


def create_http_app(
    platform: Platform,
    *,
    pages: Sequence[Any],
    api: Sequence[Any],
    state: Mapping[str, Any],
    dependencies: Mapping[str, Any],
) -> Litestar:
    """Build the application of one process.

    `pages` are route handlers for people, `api` those of `/api/v1` (they alone are described in
    OpenAPI); `dependencies` are further process-wide values that handlers ask for by name.
    """
    values = {
        "platform": platform,
        "settings": platform.settings,
        "sessions": platform.sessions,
        "seal": platform.seal,
        "clock": platform.clock,
    }
    return Litestar(
        route_handlers=[
            healthz,
            readyz,
            metrics,
            *_static(),
            Router("/", route_handlers=list(pages), include_in_schema=False),
            Router("/api/v1", route_handlers=list(api)),
        ],
        dependencies={
            **{name: _provided(value) for name, value in (values | dict(dependencies)).items()},
            "tx": Provide(provide_tx),
            "reads": Provide(provide_reads),
            "diner": Provide(provide_diner, sync_to_thread=False),
            "clerk": Provide(provide_clerk, sync_to_thread=False),
            "client": Provide(provide_api_client, sync_to_thread=False),
            "console_staff": Provide(provide_console_staff, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=_openapi(),
        request_max_body_size=BODY_BYTES_MAX,
        state=State({"platform": platform, **state}),
        logging_config=None,
    )


def _provided(value: Any) -> Provide:
    if isinstance(value, Provide):
        return value

    def give() -> Any:
        return value

    return Provide(give, sync_to_thread=False)

"""Guards, one per audience: they find out who asks before anything else runs.

A guard reads before the request's transaction begins and leaves the principal in the request's
state.
"""

from typing import Any, TypeVar
from urllib.parse import quote

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from o2o.crm.statuses import Audience
from o2o.web.cookies import cookie_name
from o2o.web.csrf import check_csrf
from o2o.web.errors import (
    AccountMismatch,
    APIKeyInvalid,
    PadLocked,
    PadNotEnrolled,
    ScopeMissing,
    SessionInvalid,
)
from o2o.web.pad_device import pad_of
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import APIClient, Clerk, ConsoleStaff, Diner

P = TypeVar("P")
Connection = ASGIConnection[Any, Any, Any, Any]


class OAuthNeeded(Exception):
    """A page was asked for by a browser that WeChat has not named yet: send it round."""

    def __init__(self, location: str) -> None:
        """Keep the address of our OAuth start."""
        super().__init__(location)
        self.location = location


def oauth_start(account_slug: str, path: str) -> str:
    """Return where a browser is sent to be named by WeChat and come back to `path`."""
    return f"/wechat/{account_slug}/oauth?next={quote(path, safe='/')}"


def is_question_of_methods(connection: Connection) -> bool:
    """Whether this is OPTIONS: what an address takes is no secret, and nobody is named for it."""
    return connection.scope.get("method") == "OPTIONS"


def _token(connection: Connection, platform: Platform, audience: Audience) -> str | None:
    return connection.cookies.get(cookie_name(platform.settings, audience.value))


async def diner_guard(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a diner of the account in the path pass; send an unnamed browser through OAuth."""
    if is_question_of_methods(connection):
        return
    platform = platform_of(connection)
    slug = connection.path_params["account"]
    token = _token(connection, platform, Audience.DINER)
    diner = await platform.visitors.find_diner(token) if token else None
    is_page = connection.scope.get("method") == "GET" and "hx-request" not in connection.headers
    if diner is not None and diner.account_slug != slug and not is_page:
        raise AccountMismatch
    if diner is None or diner.account_slug != slug:
        # Another account's openid says nothing here: the browser is named anew for this one.
        if is_page:
            query = connection.scope.get("query_string", b"").decode()
            raise OAuthNeeded(
                oauth_start(slug, connection.url.path + (f"?{query}" if query else ""))
            )
        raise SessionInvalid
    await check_csrf(connection, seal=platform.seal, owner=diner.session_hash)
    connection.state.principal = diner


async def pad_guard(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a clerk who is signed in on an enrolled pad pass."""
    if is_question_of_methods(connection):
        return
    platform = platform_of(connection)
    pad = await pad_of(connection)
    if pad is None:
        raise PadNotEnrolled
    token = _token(connection, platform, Audience.PAD)
    clerk = await platform.visitors.find_clerk(token, pad=pad) if token else None
    if clerk is None:
        raise PadLocked
    await check_csrf(connection, seal=platform.seal, owner=clerk.session_hash)
    connection.state.principal = clerk


async def console_guard(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a person who is signed in at the console pass."""
    if is_question_of_methods(connection):
        return
    platform = platform_of(connection)
    token = _token(connection, platform, Audience.CONSOLE)
    staff = await platform.visitors.find_console_staff(token) if token else None
    if staff is None:
        raise SessionInvalid
    await check_csrf(connection, seal=platform.seal, owner=staff.session_hash)
    connection.state.principal = staff


def api_guard(app: ASGIApp) -> ASGIApp:
    """Let a key with the route's scope (`opt={"scope": …}`) pass.

    A middleware, not a guard in the framework's sense: it copies a route for each of those it asks,
    which cost a tenth of a debit.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] != "OPTIONS":
            connection: Connection = ASGIConnection(scope)
            client = await _api_client(connection)
            if scope["route_handler"].opt["scope"] not in client.scopes:
                raise ScopeMissing(scope=scope["route_handler"].opt["scope"])
            connection.state.principal = client
        await app(scope, receive, send)

    return guarded


async def _api_client(connection: Connection) -> APIClient:
    kind, _, key = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise APIKeyInvalid
    client = await platform_of(connection).visitors.find_api_client(key.strip())
    if client is None:
        raise APIKeyInvalid
    return client


def _principal(request: Request[Any, Any, Any], kind: type[P]) -> P:
    principal = request.state.principal
    assert isinstance(principal, kind), "the route lacks the guard of its audience"
    return principal


def provide_diner(request: Request[Any, Any, Any]) -> Diner:
    """Give the diner that `diner_guard` found."""
    return _principal(request, Diner)


def provide_clerk(request: Request[Any, Any, Any]) -> Clerk:
    """Give the clerk that `pad_guard` found."""
    return _principal(request, Clerk)


def provide_console_staff(request: Request[Any, Any, Any]) -> ConsoleStaff:
    """Give the person that `console_guard` found."""
    return _principal(request, ConsoleStaff)


def provide_api_client(request: Request[Any, Any, Any]) -> APIClient:
    """Give the client that `api_guard` found."""
    return _principal(request, APIClient)

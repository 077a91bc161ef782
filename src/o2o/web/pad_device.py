"""A browser at the counter before anybody signed in on it: its form token, and which pad it is."""

import hashlib
from typing import Any

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from o2o.infra.seal import new_token
from o2o.web.cookies import cookie_name, pre_session_cookie
from o2o.web.csrf import check_csrf, csrf_token
from o2o.web.errors import CSRFTokenMissing, PadNotEnrolled
from o2o.web.platform import Platform, platform_of
from o2o.web.queries.principals import EnrolledPad

Connection = ASGIConnection[Any, Any, Any, Any]


def pre_session_of(connection: Connection) -> str:
    """Return the value that names this browser before it signs in, a new one if it has none."""
    name = cookie_name(platform_of(connection).settings, "pre")
    return connection.cookies.get(name) or new_token()


def pre_session_csrf(platform: Platform, value: str) -> str:
    """Return the form token that belongs to a pre-session cookie."""
    return csrf_token(platform.seal, _owner(value))


def keep_pre_session(response: Response[Any], platform: Platform, value: str) -> None:
    """Let the browser keep its name for as long as the page may stand before it is used."""
    response.set_cookie(pre_session_cookie(platform.settings, value))


async def pre_session_guard(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a form pass that this browser was shown. Raises CSRFTokenMissing."""
    platform = platform_of(connection)
    value = connection.cookies.get(cookie_name(platform.settings, "pre"))
    if not value:
        raise CSRFTokenMissing
    await check_csrf(connection, seal=platform.seal, owner=_owner(value))


async def pad_device_guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let an enrolled pad pass, whoever stands at it. Raises PadNotEnrolled, CSRFTokenMissing."""
    pad = await pad_of(connection)
    if pad is None:
        raise PadNotEnrolled
    await pre_session_guard(connection, handler)
    connection.state.pad = pad


async def pad_of(connection: Connection) -> EnrolledPad | None:
    """Return the pad that this browser is, if it is one."""
    platform = platform_of(connection)
    secret = connection.cookies.get(cookie_name(platform.settings, "pad_device"))
    return await platform.visitors.find_pad(secret) if secret else None


def provide_pad(request: Request[Any, Any, Any]) -> EnrolledPad:
    """Give the pad that `pad_device_guard` found."""
    pad = request.state.pad
    assert isinstance(pad, EnrolledPad), "the route lacks pad_device_guard"
    return pad


def _owner(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()

"""Cookies: names, flags and lifetimes in one place."""

from datetime import timedelta
from http.cookies import CookieError, SimpleCookie

from litestar.datastructures import Cookie

from o2o.crm.statuses import Audience
from o2o.infra.settings import Settings
from o2o.web.edge import Scope

DAY_SECONDS = 86_400
LIFETIMES = {
    Audience.DINER: 30 * DAY_SECONDS,
    Audience.PAD: DAY_SECONDS // 2,
    Audience.CONSOLE: DAY_SECONDS // 2,
}
# How long a session lives unused: seven days for a diner, two minutes at a pad (it locks itself),
# half an hour at the console.
IDLE = {
    Audience.DINER: timedelta(days=7),
    Audience.PAD: timedelta(minutes=2),
    Audience.CONSOLE: timedelta(minutes=30),
}
PAD_DAYS = 400
PRE_SESSION_SECONDS = 3600


def cookie_name(settings: Settings, name: str) -> str:
    """Return `__Host-o2o_<name>` over HTTPS; browsers refuse that prefix on plain HTTP (demo)."""
    return f"__Host-o2o_{name}" if settings.is_https else f"o2o_{name}"


def _cookie(settings: Settings, name: str, value: str, *, max_age: int) -> Cookie:
    return Cookie(
        key=cookie_name(settings, name),
        value=value,
        path="/",
        httponly=True,
        secure=settings.is_https,
        samesite="lax",
        max_age=max_age,
    )


def session_cookie(settings: Settings, audience: Audience, token: str) -> Cookie:
    """Make the cookie that carries a session's reference."""
    return _cookie(settings, audience.value, token, max_age=LIFETIMES[audience])


def ended_cookie(settings: Settings, audience: Audience) -> Cookie:
    """Make the cookie that takes a session's reference away."""
    return _cookie(settings, audience.value, "", max_age=0)


def pad_cookie(settings: Settings, secret: str) -> Cookie:
    """Make the cookie by which an enrolled pad is known."""
    return _cookie(settings, "pad_device", secret, max_age=PAD_DAYS * DAY_SECONDS)


def pre_session_cookie(settings: Settings, value: str) -> Cookie:
    """Make the cookie of a browser that has not signed in yet (OAuth state, first forms)."""
    return _cookie(settings, "pre", value, max_age=PRE_SESSION_SECONDS)


def cookie_in(scope: Scope, name: str) -> str | None:
    """Return a cookie of a request that no framework has read (event streams)."""
    for header, value in scope.get("headers", ()):
        if header.lower() != b"cookie":
            continue
        try:
            jar = SimpleCookie(value.decode("latin-1"))
        except CookieError:
            continue
        if name in jar:
            return jar[name].value
    return None

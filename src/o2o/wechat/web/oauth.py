"""The addresses of page authorisation and of JS-SDK signatures."""

from typing import Any

from litestar import Request, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Response
from litestar.status_codes import HTTP_302_FOUND

from o2o.crm.statuses import Audience
from o2o.infra.settings import Settings
from o2o.web.cookies import cookie_name, pre_session_cookie, session_cookie
from o2o.wechat.jssdk import JSSDK, JSSDKConfig
from o2o.wechat.oauth import Arrival, Departure, OAuth

# A value we made is 43 characters; whatever else a browser brings is not taken up.
BROWSER_CHARS_MAX = 64
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@get("/wechat/{account:str}/oauth", name="wechat.oauth")
async def start_oauth(
    request: Request[Any, Any, Any],
    account: FromPath[str],
    oauth: NamedDependency[OAuth],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Send a browser to WeChat, to be named and come back to `next`."""
    departure = await oauth.depart(
        account,
        next_path=request.query_params.get("next"),
        scope=request.query_params.get("scope", "base"),
        browser=_browser(request, settings),
    )
    return _sent_round(departure, settings)


@get("/wechat/{account:str}/oauth/callback", name="wechat.oauth_callback")
async def finish_oauth(
    request: Request[Any, Any, Any],
    account: FromPath[str],
    oauth: NamedDependency[OAuth],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Take a browser back from WeChat: a session, and on to a clean address without the code."""
    came = await oauth.arrive(
        account,
        code=request.query_params.get("code"),
        state=request.query_params.get("state"),
        browser=_browser(request, settings),
    )
    if isinstance(came, Arrival):
        cookie = session_cookie(settings, Audience.DINER, came.session_token)
        return _redirect(came.location, cookie)
    return _sent_round(came, settings)


@get("/wechat/{account:str}/jssdk", name="wechat.jssdk")
async def sign_page(
    account: FromPath[str], url: FromQuery[str], jssdk: NamedDependency[JSSDK]
) -> JSSDKConfig:
    """Sign a page of ours for `wx.config`."""
    return await jssdk.sign_page(account, url)


def _browser(request: Request[Any, Any, Any], settings: Settings) -> str | None:
    value = request.cookies.get(cookie_name(settings, "pre"))
    return value if value and len(value) <= BROWSER_CHARS_MAX and value.isascii() else None


def _sent_round(departure: Departure, settings: Settings) -> Response[Any]:
    return _redirect(departure.location, pre_session_cookie(settings, departure.browser))


def _redirect(location: str, cookie: Cookie) -> Response[Any]:
    return Redirect(location, status_code=HTTP_302_FOUND, headers=_PRIVATE, cookies=[cookie])

"""Control API: what the stand-in for the JS-SDK asks from inside an account's page.

These two answer to any origin, since pages live at their own address; they give away nothing that
the page could not ask the real JS-SDK for.
"""

import hashlib
from typing import Annotated, Any

import msgspec
from litestar import HttpMethod, Request, Response, get, post, route
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from wechat_sandbox import codec, people
from wechat_sandbox.accounts import find_account_by_appid
from wechat_sandbox.api.tokens import live_jsapi_tickets
from wechat_sandbox.control.people import PERSON_COOKIE
from wechat_sandbox.sandbox import Sandbox

Text = Annotated[str, msgspec.Meta(max_length=4096)]


class VerifyConfig(msgspec.Struct):
    """The arguments of `wx.config` and the address of the page without its fragment."""

    app_id: Text = msgspec.field(name="appId")
    timestamp: Text | int
    nonce_str: Text = msgspec.field(name="nonceStr")
    signature: Text
    url: Text


def config_signature(*, ticket: str, noncestr: str, timestamp: str, url: str) -> str:
    """As the official appendix says: raw values, fixed order, the address up to `#`."""
    text = f"jsapi_ticket={ticket}&noncestr={noncestr}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - WeChat prescribes SHA-1


def open_to_pages(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Headers that let the asking page read the answer, with the person's cookie."""
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Allow-Private-Network": "true",
        "Vary": "Origin",
    }


@route(
    ["/jssdk/verify", "/jssdk/device"],
    http_method=HttpMethod.OPTIONS,
    status_code=HTTP_204_NO_CONTENT,
)
async def allow_pages(request: Request[Any, Any, Any]) -> Response[None]:
    return Response(None, headers=open_to_pages(request), status_code=HTTP_204_NO_CONTENT)


@post("/jssdk/verify", status_code=HTTP_200_OK)
async def verify_config(
    data: VerifyConfig, request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox]
) -> Response[dict[str, Any]]:
    return Response(_verified(sandbox, data), headers=open_to_pages(request))


def _verified(sandbox: Sandbox, data: VerifyConfig) -> dict[str, Any]:
    """Whether any live ticket of the account gives this signature."""
    with sandbox.database.transaction() as tx:
        account = find_account_by_appid(tx, data.app_id)
        tickets = [] if account is None else live_jsapi_tickets(tx, account)
    if account is None:
        return {"ok": False, "errMsg": "config:invalid appid"}
    url = data.url.split("#", 1)[0]
    is_signed = any(
        codec.same_signature(
            data.signature,
            config_signature(
                ticket=ticket, noncestr=data.nonce_str, timestamp=str(data.timestamp), url=url
            ),
        )
        for ticket in tickets
    )
    return {"ok": is_signed, "errMsg": "config:ok" if is_signed else "config:invalid signature"}


@get("/jssdk/device")
async def show_device(
    request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox], api: str = ""
) -> Response[dict[str, Any]]:
    """For a page opened outside the phone's frame: where the person is and what a scan will see.

    A prepared scan is handed out once.
    """
    person_id = request.cookies.get(PERSON_COOKIE, "")
    with sandbox.database.transaction() as tx:
        person = people.find_person(tx, person_id)
        scan = None
        if person is not None and api == "scanQRCode":
            scan = people.take_next_scan(tx, person.id)
    location = None
    if person is not None and person.latitude is not None and person.longitude is not None:
        location = {"latitude": person.latitude, "longitude": person.longitude}
    headers = {"Cache-Control": "no-store"} | open_to_pages(request)
    return Response({"location": location, "scan": scan}, headers=headers)


ROUTES = (allow_pages, verify_config, show_device)

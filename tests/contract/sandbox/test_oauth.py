"""Page authorization: silent and asked, the code's single use, and what the tokens tell."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.contract.sandbox.conftest import Shop

AUTHORIZE = "/connect/oauth2/authorize"
BACK = "http://127.0.0.1:8000/h5/demo/card?tab=1&x=%E4%BD%99#top"


def asked(shop: Shop, **changes: str | None) -> dict[str, str]:
    query = {
        "appid": shop.record["appid"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s&t",
    } | changes
    return {name: value for name, value in query.items() if value is not None}


@contextmanager
def browser(shop: Shop) -> Iterator[httpx.Client]:
    """A browser that holds this person's phone."""
    with httpx.Client(base_url=shop.http.base_url, trust_env=False) as client:
        opened = client.get(f"/_sandbox/people/{shop.person}/open", params={"url": BACK})
        assert (opened.status_code, opened.headers["location"]) == (302, BACK)
        yield client


def code_in(response: httpx.Response) -> str:
    assert response.status_code == 302, response.text
    query = dict(parse_qsl(urlsplit(response.headers["location"]).query))
    return query["code"]


def exchange(shop: Shop, code: str, **changes: str) -> dict[str, Any]:
    query = {
        "appid": shop.record["appid"],
        "secret": shop.record["secret"],
        "code": code,
        "grant_type": "authorization_code",
    } | changes
    done: dict[str, Any] = shop.http.get("/sns/oauth2/access_token", params=query).json()
    return done


def test_silent_authorization(shop: Shop) -> None:
    with browser(shop) as phone:
        answered = phone.get(AUTHORIZE, params=asked(shop))
    back = urlsplit(answered.headers["location"])
    code = code_in(answered)
    assert dict(parse_qsl(back.query)) == {"tab": "1", "x": "余", "code": code, "state": "s&t"}
    assert (back.path, back.fragment) == ("/h5/demo/card", "top")

    granted = exchange(shop, code)
    assert (granted["openid"], granted["scope"]) == (shop.openid, "snsapi_base")
    assert granted["expires_in"] == 7200
    assert "unionid" not in granted
    assert "is_snapshotuser" not in granted
    assert exchange(shop, code)["errcode"] == 40163
    who = {"access_token": granted["access_token"], "openid": shop.openid}
    assert shop.http.get("/sns/userinfo", params=who).json()["errcode"] == 48001
    assert shop.http.get("/sns/auth", params=who).json()["errcode"] == 0


def test_asked_authorization(shop: Shop) -> None:
    query = asked(shop, scope="snsapi_userinfo")
    with browser(shop) as phone:
        page = phone.get(AUTHORIZE, params=query)
        denied = phone.post(AUTHORIZE, params=query, data={"decision": "deny"})
        allowed = phone.post(AUTHORIZE, params=query, data={"decision": "allow"})
    assert page.status_code == 200
    assert shop.record["name"] in page.text
    assert "script" not in page.text
    back = dict(parse_qsl(urlsplit(denied.headers["location"]).query))
    assert back == {"tab": "1", "x": "余", "state": "s&t"}

    granted = exchange(shop, code_in(allowed))
    who = {"access_token": granted["access_token"], "openid": shop.openid}
    info = shop.http.get("/sns/userinfo", params=who).json()
    person = shop.http.get(f"/_sandbox/people/{shop.person}").json()
    assert (info["openid"], info["nickname"]) == (shop.openid, person["name"])
    assert info["unionid"] == granted["unionid"] == person["unionid"]
    assert shop.http.get(info["headimgurl"]).headers["content-type"].startswith("image/svg+xml")
    wrong = shop.http.get("/sns/userinfo", params=who | {"openid": "oOther"}).json()
    assert wrong["errcode"] == 40003


def test_a_snapshot_page_sees_a_stranger(shop: Shop) -> None:
    shop.http.patch(f"/_sandbox/people/{shop.person}", json={"snapshot": True})
    with browser(shop) as phone:
        granted = exchange(shop, code_in(phone.get(AUTHORIZE, params=asked(shop))))
    assert granted["is_snapshotuser"] == 1
    assert granted["openid"] != shop.openid
    assert len(granted["openid"]) == 28
    info = shop.call("/cgi-bin/user/info", openid=granted["openid"])
    assert info["errcode"] == 40003


def test_whose_phone_is_it(shop: Shop) -> None:
    page = shop.http.get(AUTHORIZE, params=asked(shop))
    assert page.status_code == 200
    assert f"sandbox_person={shop.person}" in page.text
    chosen = shop.http.get(AUTHORIZE, params=asked(shop) | {"sandbox_person": shop.person})
    assert exchange(shop, code_in(chosen))["openid"] == shop.openid


@pytest.mark.parametrize(
    "changes,said",
    [
        ({"appid": "wx0"}, "AppID 参数错误"),
        ({"appid": None}, "AppID 参数错误"),
        ({"redirect_uri": None}, "redirect_uri 参数错误"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri 参数错误"),
        ({"redirect_uri": "http://[::1"}, "redirect_uri 参数错误"),
        ({"response_type": "token"}, "response_type 参数错误"),
        ({"scope": "snsapi_login"}, "Scope 参数错误"),
        ({"state": "x" * 129}, "参数错误"),
    ],
)
def test_a_wrong_request_leads_nowhere(
    shop: Shop, changes: dict[str, str | None], said: str
) -> None:
    with browser(shop) as phone:
        answered = phone.get(AUTHORIZE, params=asked(shop, **changes))
    assert (answered.status_code, said in answered.text) == (200, True)
    assert "location" not in answered.headers
    assert shop.books("oauth_codes") == []


def test_the_registered_domain(shop: Shop) -> None:
    shop.http.patch(f"/_sandbox/accounts/{shop.slug}", json={"oauth_domain": "example.com"})
    with browser(shop) as phone:
        assert phone.get(AUTHORIZE, params=asked(shop)).status_code == 200
        shop.http.patch(f"/_sandbox/accounts/{shop.slug}", json={"oauth_domain": "127.0.0.1"})
        assert phone.get(AUTHORIZE, params=asked(shop)).status_code == 302


def test_codes_are_checked(shop: Shop) -> None:
    with browser(shop) as phone:
        code = code_in(phone.get(AUTHORIZE, params=asked(shop)))
    other = shop.http.post("/_sandbox/accounts", json={"slug": "oauth-b", "name": "b"}).json()
    for changes, errcode in (
        ({"appid": ""}, 41002),
        ({"appid": "wx0"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "x"}, 40125),
        ({"code": ""}, 41008),
        ({"code": "x"}, 40029),
        ({"grant_type": "x"}, 40002),
        ({"appid": other["appid"], "secret": other["secret"]}, 40029),
    ):
        assert exchange(shop, **({"code": code} | changes))["errcode"] == errcode
    shop.http.post("/_sandbox/clock", json={"advance_seconds": 301})
    assert exchange(shop, code)["errcode"] == 42003


def test_refreshing(shop: Shop) -> None:
    with browser(shop) as phone:
        granted = exchange(shop, code_in(phone.get(AUTHORIZE, params=asked(shop))))
    query = {"appid": shop.record["appid"], "grant_type": "refresh_token"}
    path = "/sns/oauth2/refresh_token"
    fresh = shop.http.get(path, params=query | {"refresh_token": granted["refresh_token"]}).json()
    assert fresh["openid"] == shop.openid
    assert fresh["access_token"] != granted["access_token"]
    wrong = shop.http.get(path, params=query | {"refresh_token": granted["access_token"]}).json()
    assert wrong["errcode"] == 40030
    shop.http.post("/_sandbox/clock", json={"advance_seconds": 7201})
    old = {"access_token": fresh["access_token"], "openid": shop.openid}
    assert shop.http.get("/sns/auth", params=old).json()["errcode"] == 42001


def test_page_signatures(shop: Shop) -> None:
    ticket = shop.call("/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
    page = "http://127.0.0.1:8000/h5/demo/code?a=1&b=%E4%BD%99"
    text = f"jsapi_ticket={ticket}&noncestr=Wm3&timestamp=1414587457&url={page}"
    config: dict[str, Any] = {
        "appId": shop.record["appid"],
        "timestamp": 1414587457,
        "nonceStr": "Wm3",
        "signature": hashlib.sha1(text.encode()).hexdigest(),  # noqa: S324 - WeChat's choice
        "url": f"{page}#part",
    }
    path, origin = "/_sandbox/jssdk/verify", {"Origin": "http://127.0.0.1:8000"}
    allowed = shop.http.post(path, json=config, headers=origin)
    assert allowed.json() == {"ok": True, "errMsg": "config:ok"}
    assert allowed.headers["access-control-allow-origin"] == "http://127.0.0.1:8000"
    asked_first = shop.http.options(path, headers=origin)
    assert asked_first.status_code == 204
    assert asked_first.headers["access-control-allow-headers"] == "content-type"
    for change in ({"url": page + "&c=1"}, {"signature": "0" * 40}, {"nonceStr": "Wm4"}):
        refused = shop.http.post(path, json=config | change).json()
        assert refused == {"ok": False, "errMsg": "config:invalid signature"}
    assert shop.http.post(path, json=config | {"appId": "wx0"}).json()["ok"] is False
    shop.http.post("/_sandbox/clock", json={"advance_seconds": 7201})
    assert shop.http.post(path, json=config).json()["ok"] is False

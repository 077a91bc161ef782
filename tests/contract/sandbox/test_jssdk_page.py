"""The stand-in for the JS-SDK in a real browser, in a page alone and inside a frame."""

import hashlib
import html
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.contract.sandbox.conftest import Shop
from tests.contract.sandbox.pages import Pages
from tests.fixtures.browser import chromium

APIS = ["scanQRCode", "getLocation", "updateAppMessageShareData", "hideOptionMenu"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with (
        sync_playwright() as playwright,
        chromium(playwright.chromium, "--no-proxy-server") as running,
    ):
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


def signed(shop: Shop, url: str) -> dict[str, Any]:
    ticket = shop.call("/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
    text = f"jsapi_ticket={ticket}&noncestr=n&timestamp=1&url={url}"
    return {
        "appId": shop.record["appid"],
        "timestamp": 1,
        "nonceStr": "n",
        "signature": hashlib.sha1(text.encode()).hexdigest(),  # noqa: S324 - WeChat's choice
        "jsApiList": APIS,
    }


SCRIPT = """
window.seen = [];
const note = (name) => (value) => window.seen.push([name, value]);
wx.ready(note("ready"));
wx.error(note("error"));
wx.config(CONFIG);
"""


def page_of(shop: Shop, config: dict[str, Any]) -> str:
    script = SCRIPT.replace("CONFIG", json.dumps(config))
    source = f"{shop.http.base_url}/jweixin.js"
    return f'<!doctype html><script src="{source}"></script><script>{script}</script>'


def served(shop: Shop, pages: Pages, *, tamper: bool = False) -> str:
    """The address of a page of the account; its signature covers the query, not the fragment."""
    url = f"{pages.url}/card?tab=1"
    config = signed(shop, url + ("&x" if tamper else ""))
    pages.content["/card"] = page_of(shop, config)
    return f"{url}#top"


def seen(page: Page, count: int) -> list[Any]:
    page.wait_for_function(f"window.seen && window.seen.length >= {count}")
    found: list[Any] = page.evaluate("window.seen")
    return found


def call(page: Page, api: str, options: str = "{}") -> Any:
    """Call one API and give back which callback heard of it, and what."""
    return page.evaluate(
        f"""new Promise((done) => {{
            const hear = (name) => (value) => done([name, value]);
            wx.{api}({{...({options}), success: hear("success"), fail: hear("fail"),
                       cancel: hear("cancel")}});
        }})"""
    )


def test_a_page_alone(shop: Shop, page: Page) -> None:
    with Pages() as pages:
        address = served(shop, pages)
        shop.http.patch(
            f"/_sandbox/people/{shop.person}",
            json={"location": {"lat": 31.2, "lng": 121.4}, "next_scan": "90123"},
        )
        page.goto(f"{shop.http.base_url}/_sandbox/people/{shop.person}/open?url={address}")
        assert [name for name, _ in seen(page, 1)] == ["ready"]
        scanned = call(page, "scanQRCode", "{needResult: 1}")
        assert scanned == ["success", {"resultStr": "90123", "errMsg": "scanQRCode:ok"}]
        name, place = call(page, "getLocation", '{type: "gcj02"}')
        assert (name, place["latitude"], place["longitude"]) == ("success", 31.2, 121.4)
        assert call(page, "updateAppMessageShareData", '{title: "x"}')[0] == "success"
        refused = call(page, "openLocation")
        assert refused == ["fail", {"errMsg": "openLocation:fail, permission denied"}]
        checked = call(page, "checkJsApi", '{jsApiList: ["scanQRCode", "chooseWXPay"]}')
        assert checked[1]["checkResult"] == {"scanQRCode": True, "chooseWXPay": False}


def test_a_wrong_signature(shop: Shop, page: Page) -> None:
    with Pages() as pages:
        page.goto(served(shop, pages, tamper=True))
        assert seen(page, 1) == [["error", {"errMsg": "config:invalid signature"}]]
        refused = call(page, "scanQRCode")
        assert refused == ["fail", {"errMsg": "scanQRCode:fail, config is not ready"}]


def test_a_page_in_the_phones_frame(shop: Shop, page: Page) -> None:
    with Pages() as pages, Pages() as phone:
        address = served(shop, pages)
        phone.content["/"] = (
            f'<!doctype html><iframe src="{html.escape(address)}"></iframe><script>'
            'window.asked = []; addEventListener("message", ({data, source}) => {'
            '  window.asked.push(data); const {id, api} = data; const sandbox = "wx-reply";'
            '  const cancel = api === "scanQRCode";'
            '  source.postMessage({sandbox, id, errMsg: api + (cancel ? ":cancel" : ":ok"),'
            '    result: {latitude: 1}}, "*"); });</script>'
        )
        page.goto(phone.url)
        frame = page.frame(url=lambda url: urlsplit(url).path == "/card")
        assert frame is not None
        assert dict(parse_qsl(urlsplit(frame.url).query)) == {"tab": "1"}
        frame.wait_for_function("window.seen && window.seen.length")
        inside = frame.evaluate(
            """new Promise((done) => {
                wx.scanQRCode({needResult: 1, cancel: (scan) =>
                    wx.getLocation({success: (place) => done([scan, place])})});
            })"""
        )
        assert inside[0] == {"latitude": 1, "errMsg": "scanQRCode:cancel"}
        assert inside[1] == {"latitude": 1, "errMsg": "getLocation:ok"}
        asked = page.evaluate("window.asked")
        assert [(one["sandbox"], one["api"], one["params"]) for one in asked] == [
            ("wx", "scanQRCode", {"needResult": 1}),
            ("wx", "getLocation", {}),
        ]

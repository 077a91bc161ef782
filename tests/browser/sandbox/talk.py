"""The first steps that many of these tests begin with."""

import httpx
from playwright.sync_api import FrameLocator, Page, expect


def follow(page: Page, person: str = "lin") -> None:
    page.get_by_test_id(f"person-{person}").click()
    page.get_by_test_id("account-qr-chuxin").click()
    expect(page.locator("[data-testid=msg][data-direction=in]")).to_have_count(1)


def say(page: Page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("send").click()


def scan_text(page: Page, text: str) -> None:
    page.get_by_test_id("open-scanner").click()
    page.get_by_test_id("scan-text").fill(text)
    page.get_by_test_id("scan-submit").click()


def web_view(page: Page) -> FrameLocator:
    return page.frame_locator("[data-testid=webview]")


def access_token(sandbox: httpx.Client) -> str:
    """A token of the account `chuxin`, as its owner gets it."""
    account = sandbox.get("/_sandbox/accounts").json()[0]
    query = {
        "grant_type": "client_credential",
        "appid": account["appid"],
        "secret": account["secret"],
    }
    token: str = sandbox.get("/cgi-bin/token", params=query).json()["access_token"]
    return token

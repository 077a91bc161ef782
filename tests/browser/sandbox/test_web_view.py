"""Pages in the web view: what they ask the phone, what is shared, and whose phone it is."""

import json
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.browser.sandbox.account_owner import AccountOwner
from tests.browser.sandbox.conftest import OpenPhone
from tests.browser.sandbox.talk import web_view

ROUTE = "/#person={person}&url={url}"


def open_page(open_phone: OpenPhone, owner: AccountOwner, person: str = "lin") -> Page:
    page = open_phone(path=ROUTE.format(person=person, url=f"{owner.base}/card"))
    expect(web_view(page).locator("#path")).to_have_text("/card")
    return page


def answered(page: Page) -> Any:
    answer = web_view(page).locator("#answer")
    expect(answer).not_to_be_empty()
    return json.loads(answer.inner_text())


def test_page_that_asks_for_a_scan_gets_the_text(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_page(open_phone, owner)

    web_view(page).locator("#scan").click()
    page.get_by_test_id("scan-text").fill("桌号 07")
    page.get_by_test_id("scan-submit").click()

    assert answered(page) == {
        "sandbox": "wx-reply",
        "id": 1,
        "errMsg": "scanQRCode:ok",
        "result": {"resultStr": "桌号 07"},
    }


def test_closing_the_scanner_is_a_cancel(open_phone: OpenPhone, owner: AccountOwner) -> None:
    page = open_page(open_phone, owner)

    web_view(page).locator("#scan").click()
    page.get_by_test_id("scan-text").focus()
    page.keyboard.press("Escape")

    assert answered(page)["errMsg"] == "scanQRCode:cancel"
    expect(page.get_by_test_id("webview")).to_have_count(1)


def test_location_is_asked_once_and_then_remembered(
    open_phone: OpenPhone, sandbox: httpx.Client, owner: AccountOwner
) -> None:
    page = open_page(open_phone, owner)
    place = sandbox.get("/_sandbox/map").json()["places"][0]

    web_view(page).locator("#locate").click()
    page.locator(".place-row").first.click()
    page.get_by_test_id("map-done").click()

    point = {"latitude": place["lat"], "longitude": place["lng"], "speed": 0, "accuracy": 30}
    assert answered(page)["result"] == point
    located = sandbox.get("/_sandbox/people/lin").json()["location"]
    assert located == {"lat": place["lat"], "lng": place["lng"]}
    page.reload()
    web_view(page).locator("#locate").click()
    assert answered(page)["result"] == point


def test_shared_card_reaches_the_friend_who_opens_it_as_themselves(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_page(open_phone, owner)
    web_view(page).locator("#share").click()
    assert answered(page)["errMsg"] == "updateAppMessageShareData:ok"

    page.get_by_test_id("webview-more").click()
    page.get_by_test_id("choose-friend").click()
    page.get_by_test_id("choose-chen").click()
    page.get_by_test_id("person-chen").click()
    page.get_by_test_id("friend-lin").click()
    page.get_by_role("button", name="送您一张餐券 <i>").click()

    expect(web_view(page).locator("#path")).to_have_text("/gift")
    assert owner.page_visits == ["lin /card", "chen /gift"]


def test_what_is_posted_to_moments_everybody_sees(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_page(open_phone, owner)

    page.get_by_test_id("webview-more").click()
    page.get_by_test_id("choose-moments").click()
    page.get_by_test_id("person-wu").click()
    page.get_by_test_id("tab-discover").click()
    page.get_by_test_id("open-moments").click()

    expect(page.get_by_test_id("moment")).to_have_count(1)
    expect(page.get_by_test_id("moment")).to_contain_text("林晓月")


def test_picking_the_phone_up_again_opens_its_page_as_its_owner(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_page(open_phone, owner)

    page.get_by_test_id("person-chen").click()
    expect(page.get_by_test_id("webview")).to_have_count(0)
    page.get_by_test_id("person-lin").click()

    expect(web_view(page).locator("#path")).to_have_text("/card")
    assert owner.page_visits == ["lin /card", "lin /card"]


def test_page_can_close_its_window(open_phone: OpenPhone, owner: AccountOwner) -> None:
    page = open_page(open_phone, owner)

    web_view(page).locator("#close").click()

    expect(page.get_by_test_id("webview")).to_have_count(0)


def test_messages_of_other_windows_are_not_answered(
    open_phone: OpenPhone, owner: AccountOwner
) -> None:
    page = open_page(open_phone, owner)

    page.evaluate("postMessage({sandbox: 'wx', id: 9, api: 'closeWindow', params: {}}, '*')")
    page.evaluate("postMessage({sandbox: 'wx', id: 9, api: 'constructor', params: {}}, '*')")
    page.wait_for_function("new Promise(done => setTimeout(() => done(true), 50))")

    expect(page.get_by_test_id("webview")).to_have_count(1)

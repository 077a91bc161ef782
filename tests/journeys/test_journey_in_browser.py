"""The whole journey in a real Chromium, with nothing but the phone and the pad.

Follow by QR → card link → consent → card and member code → scanned at the pad → topped up →
charged → told in the chat. With O2O_SCREENSHOTS=folder the pictures of the documents are taken.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect, sync_playwright

from chaos.people import Phones
from chaos.product import Product
from tests.fixtures.browser import chromium
from tests.journeys.conftest import ACCOUNT

WAIT_MS = 20_000
PICTURES = os.environ.get("O2O_SCREENSHOTS")
# Other tests may be using both cores meanwhile.
expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, chromium(playwright.chromium) as running:
        yield running


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def open_page(browser: Browser, url: str, *, width: int, height: int) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    return page


def follow_and_join(phone: Page, name: str) -> FrameLocator:
    phone.locator("body[data-ready]").wait_for()
    phone.locator("[data-testid^=person-]").filter(has_text=name).click()
    phone.get_by_test_id(f"account-qr-{ACCOUNT}").click()
    greeting = phone.get_by_test_id("msg").filter(has_text="一键开通会员卡")
    expect(greeting).to_be_visible()
    picture(phone, "phone-greeting")
    greeting.get_by_role("link").click()
    web = phone.frame_locator("[data-testid=webview]")
    web.get_by_role("checkbox").first.check()
    picture(phone, "phone-join")
    web.get_by_role("button", name="领取会员卡").click()
    expect(web.get_by_text("出示会员码")).to_be_visible()
    picture(phone, "phone-card")
    return web


def enrol_and_sign_in(pad: Page, product: Product) -> None:
    clerk = next(p for p in product.demo["staff"] if p["role"] == "clerk" and p["pin"])
    store = next(s for s in product.demo["stores"] if s["id"] == clerk["store_id"])
    pad.get_by_role("button", name=store["name"]).click()
    pad.locator(f"input[name=login][value={clerk['login']}]").check()
    picture(pad, "pad-sign-in")
    pad.keyboard.type(clerk["pin"])
    pad.keyboard.press("Enter")
    pad.wait_for_url("**/pad/scan")
    picture(pad, "pad-scan")


def shown_code(web: FrameLocator) -> str:
    digits = web.locator("[data-part=digits]")
    expect(digits).to_have_text(re.compile(r"(\d{4}\s*){5}"))
    return re.sub(r"\D", "", digits.inner_text())


def test_a_newcomer_is_served_with_the_phone_and_the_pad_alone(
    product: Product, phones: Phones, browser: Browser
) -> None:
    person = phones.add("顾小满", account=ACCOUNT)
    phone = open_page(browser, product.sandbox_url, width=1440, height=900)
    pad = open_page(browser, f"{product.url}/pad", width=1024, height=768)

    web = follow_and_join(phone, "顾小满")
    enrol_and_sign_in(pad, product)
    web.get_by_text("出示会员码").click()
    code = shown_code(web)
    picture(phone, "phone-code")

    # A keyboard-wedge scanner types the digits and Enter into whatever has the focus.
    pad.keyboard.type(code)
    pad.keyboard.press("Enter")
    pad.wait_for_url("**/pad/visits/**")
    pad.locator("label.offer").filter(has_text="充200送20").click()
    pad.get_by_role("button", name="确认充值").click()
    expect(pad.get_by_role("heading", name="充值成功")).to_be_visible()
    pad.get_by_text("继续服务").click()
    charge = pad.locator("#charge button[type=submit]")
    charge.wait_for()
    picture(pad, "pad-visit")
    pad.keyboard.type("38")
    charge.click()
    expect(pad.get_by_role("heading", name="扣款成功")).to_be_visible()
    expect(pad.locator("body")).to_contain_text("182.00")
    picture(pad, "pad-charged")

    phone.get_by_test_id("webview-close").click()
    told = phone.get_by_test_id("msg").filter(has_text="门店消费即时通知")
    expect(told).to_be_visible()
    expect(told).to_contain_text("38.00元")
    expect(told).to_contain_text("182.00元")
    phone.get_by_test_id("composer").fill("余额")
    phone.get_by_test_id("send").click()
    answers = phone.locator("[data-testid=msg][data-kind=text][data-direction=in]")
    expect(answers.filter(has_text="182.00")).to_be_visible()
    picture(phone, "journey")
    templates = phones.read(person, kind="template")
    assert [line["title"] for line in templates] == ["充值成功通知", "门店消费即时通知"]

"""At the pad: a package bought, a charge with the taste in sight, the keyboard alone, a refund."""

import re

from playwright.sync_api import Page, expect

from chaos.people import Person
from tests.journeys.membership.conftest import Desk
from tests.journeys.membership.steps import (
    PIN,
    choose_pin,
    code_by_text,
    scan,
    shown_code,
    top_up,
)

RECEIPT = re.compile(r"/pad/receipts/")


def topped_up(desk: Desk, name: str) -> tuple[Person, Page]:
    """Somebody new with 220 yuan, still at the counter."""
    person = desk.newcomer(name)
    pad = desk.pad()
    scan(pad, shown_code(desk, person))
    top_up(pad, "充200送20")
    return person, pad


def test_a_package_is_bought_at_the_pad_and_stands_on_the_phone(desk: Desk) -> None:
    person, pad = topped_up(desk, "陆一鸣")
    expect(pad.locator(".receipt-balance")).to_contain_text("220.00")
    phone = desk.phone(person, "wallet")
    expect(phone.locator(".sum-figure")).to_have_text("¥220.00")
    expect(phone.locator(".statement-row", has_text="充值赠送")).to_contain_text("+¥20.00")


def test_a_regular_comes_back_by_a_text_and_is_charged_beside_the_recommendations(
    desk: Desk,
) -> None:
    # Somebody of the demo's history, in front of WeChat for the first time.
    person = desk.regular("欧阳若溪", phone="19900001429")
    phone = desk.phone(person, "bind")
    phone.locator("#phone-input").fill("199 0000 1429")
    phone.get_by_role("button", name="获取验证码").click()
    phone.wait_for_url("**/bind/code")
    phone.locator(".code-input").fill(code_by_text(desk, person))
    phone.get_by_role("button", name="确认").click()
    # Who becomes one is shown first.
    expect(phone.get_by_role("heading", name="合并会员卡")).to_be_visible()
    phone.get_by_role("button", name="确认合并").click()
    phone.wait_for_url("**/bind?told=phone_joined")

    pad = desk.pad()
    scan(pad, shown_code(desk, person))
    # What the history leaves on the card differs from day to day.
    top_up(pad, "充200送20")
    pad.get_by_role("link", name="继续服务").click()
    offers = pad.locator(".taste-offer")
    expect(offers).to_have_count(3)
    for reason in offers.locator("span").all_inner_texts():
        assert reason.strip()
    # What may not be eaten is said, and no dish that contains it is offered.
    expect(pad.locator(".member-allergies")).to_contain_text("花生")
    expect(pad.locator(".taste-offers")).not_to_contain_text("四喜烤麸")
    pad.locator("#amount").fill("12.5")
    pad.locator(".charge-submit").click()
    pad.wait_for_url(RECEIPT)
    expect(pad.locator(".receipt-amount")).to_have_text("¥12.50")


def test_the_keyboard_alone_goes_from_scan_to_charged(desk: Desk) -> None:
    person, pad = topped_up(desk, "程知远")
    pad.goto("/pad/scan")
    expect(pad.locator("#scanned")).to_be_focused()
    scan(pad, shown_code(desk, person))
    expect(pad.locator("#amount")).to_be_focused()
    pad.keyboard.type("38.5")
    # Tab reaches the button, with its focus in sight; nothing is a trap on the way.
    for _ in range(40):
        pad.keyboard.press("Tab")
        if pad.evaluate("document.activeElement.matches('.charge-submit')"):
            break
    expect(pad.locator(".charge-submit")).to_be_focused()
    assert pad.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    pad.keyboard.press("Enter")
    pad.wait_for_url(RECEIPT)
    expect(pad.locator(".receipt-amount")).to_have_text("¥38.50")
    expect(pad.locator("#scanned")).to_be_focused()


def test_within_seven_days_what_was_paid_comes_back_by_the_formula(desk: Desk) -> None:
    person, pad = topped_up(desk, "沈若兰")
    pad.get_by_role("link", name="继续服务").click()
    pad.locator("#amount").fill("55")
    pad.locator(".charge-submit").click()
    pad.wait_for_url(RECEIPT)

    phone = desk.phone(person, "pin")
    choose_pin(phone)
    phone.goto(f"/h5/{person.account}/refunds")
    # 55.00 came proportionally from 200 of principal and 20 of bonus: 50.00 and 5.00.
    formula = re.sub(r"\s+", "", phone.locator(".formula").first.inner_text())
    assert re.search(r"200\.00.*50\.00.*150\.00", formula), formula
    phone.locator("input[name=pay_pin]").fill(PIN)
    phone.locator("form[aria-labelledby=ask] button[type=submit]").click()
    phone.wait_for_url("**/refunds?told=asked")

    pad.goto("/pad/scan")
    scan(pad, shown_code(desk, person))
    due = pad.locator(".refund-due")
    expect(due).to_contain_text("150.00")
    expect(due).to_contain_text("不可拒绝")
    due.get_by_role("button", name="确认已付给会员").click()
    expect(pad.get_by_role("status").filter(has_text="退款已记账")).to_be_visible()
    expect(pad.locator(".member-balance")).to_contain_text("¥0.00")
    phone.goto(f"/h5/{person.account}/wallet")
    expect(phone.locator(".sum-figure")).to_have_text("¥0.00")

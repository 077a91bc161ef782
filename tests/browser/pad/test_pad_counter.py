"""The counter as a clerk works it: enrol, sign in, scan, top up, charge, next one, lock."""

import re

from playwright.sync_api import Page, expect

from tests.browser.pad.conftest import OpenPad, charge, enrol, scan, sign_in
from tests.browser.pad.site import Site

RECEIPT = re.compile(r"/pad/receipts/")


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.locator(f'[data-keypad="amount"] [data-key="{key}"]').click()


def test_from_a_fresh_browser_to_the_second_customer(open_pad: OpenPad, site: Site) -> None:
    page = open_pad()
    enrol(page, site)
    sign_in(page)
    scan(page, site.member_code())
    expect(page.locator(".member-balance")).to_contain_text("100.00")

    page.get_by_role("tab", name="充值").click()
    page.locator("label.offer", has_text="充200送20").click()
    expect(page.locator("#top-up [data-after]")).to_have_text("¥320.00")
    page.get_by_role("button", name="确认充值").click()
    expect(page.get_by_role("heading", name="充值成功")).to_be_visible()
    assert site.balance_fen() == 32_000

    page.get_by_role("link", name="继续服务").click()
    press(page, "38.5")
    expect(page.locator("#charge [data-after]")).to_have_text("¥281.50")
    page.locator(".charge-submit").click()
    expect(page.get_by_role("heading", name="扣款成功")).to_be_visible()
    expect(page.locator(".receipt-amount")).to_have_text("¥38.50")
    assert site.balance_fen() == 28_150

    # The next customer needs no tap: the receipt listens to the scanner.
    first = page.url
    scan(page, site.member_code())
    assert page.url != first
    assert site.count("counter_visits") == 2
    assert site.count("counter_visits", "closed_at IS NULL") == 1


def test_three_taps_from_scan_to_charged(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    taps = 0
    for selector in ('[data-key="3"]', '[data-key="8"]', ".charge-submit"):
        pad.locator(f"#charge {selector}").click()
        taps += 1
    pad.wait_for_url(RECEIPT)
    assert (taps, site.balance_fen()) == (3, 6_200)


def test_a_double_tap_charges_once(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    pad.locator("#amount").fill("10")
    pad.locator(".charge-submit").dblclick()
    pad.wait_for_url(RECEIPT)
    assert site.balance_fen() == 9_000
    assert site.count("ledger_transfers", "kind = 'debit'") == 1


def test_beyond_the_balance_nothing_is_sent(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    sent: list[str] = []
    pad.on(
        "request", lambda request: sent.append(request.url) if request.method == "POST" else None
    )
    charge(pad, "100.01")
    expect(pad.locator("#charge-fault")).to_contain_text("还差 ¥0.01")
    for typed in ("", "0", "1.234", "abc", "９０" * 10):
        charge(pad, typed)
        expect(pad.locator("#charge-fault")).to_be_visible()
    assert sent == []
    pad.locator("#amount").fill("１２．５")
    expect(pad.locator("#charge [data-after]")).to_have_text("¥87.50")
    pad.locator(".charge-submit").click()
    pad.wait_for_url(RECEIPT)
    assert site.balance_fen() == 8_750


def test_a_scan_into_the_amount_is_no_charge(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    pad.keyboard.type(site.member_code())
    pad.keyboard.press("Enter")
    expect(pad.locator("#charge-fault")).to_contain_text("会员码")
    assert site.balance_fen() == 10_000


def test_refusals_stay_in_the_page(pad: Page, site: Site) -> None:
    pad.keyboard.type("134567890123456789")
    pad.keyboard.press("Enter")
    expect(pad.locator("#scan-fault")).to_contain_text("这是微信付款码")
    expect(pad.locator("#scanned")).to_have_value("")
    expect(pad.locator("#scanned")).to_be_focused()
    scan(pad, site.member_code())
    assert site.count("counter_visits") == 1


def test_without_scripts_forms_do_it_all(open_pad: OpenPad, site: Site) -> None:
    page = open_pad(java_script_enabled=False)
    enrol(page, site)
    sign_in(page)
    page.locator("#scanned").fill(site.member_code())
    page.get_by_role("button", name="开始服务").click()
    page.locator("#amount").fill("12.5")
    page.locator(".charge-submit").click()
    expect(page.get_by_role("heading", name="扣款成功")).to_be_visible()
    assert site.balance_fen() == 8_750


def test_nobody_at_the_pad_locks_it(open_pad: OpenPad, site: Site) -> None:
    page = open_pad()
    page.clock.install()
    enrol(page, site)
    sign_in(page)
    page.clock.run_for(106_000)
    expect(page.locator("#lock-warning")).to_be_visible()
    page.mouse.click(500, 740)
    expect(page.locator("#lock-warning")).to_be_hidden()
    page.clock.run_for(121_000)
    expect(page.locator("#sign-in-form")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/pad")
    assert site.count("web_sessions", "ended_at IS NULL") == 0

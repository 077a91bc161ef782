"""Beside the counter: the member's yes, undoing, the count, the scanner wherever the focus is."""

import re

from playwright.sync_api import Page, expect

from tests.browser.pad.conftest import scan, scan_in_a_burst
from tests.browser.pad.site import Site

RECEIPT = re.compile(r"/pad/receipts/")
ANSWER = re.compile(r"/pad/visits/[^/]+/charges/")
PIN = "260817"


def charge_much(pad: Page, site: Site) -> None:
    site.top_up(50_000)
    scan(pad, site.member_code())
    pad.locator("#amount").fill("300")
    pad.locator(".charge-submit").click()
    pad.wait_for_url(ANSWER)
    assert site.balance_fen() == 60_000


def test_the_pad_waits_for_the_phone_and_goes_on_by_itself(pad: Page, site: Site) -> None:
    charge_much(pad, site)
    expect(pad.get_by_role("heading", name="等待会员确认")).to_be_visible()
    site.say_yes(site.waiting_charge())
    pad.wait_for_url(RECEIPT)
    expect(pad.locator(".receipt-amount")).to_have_text("¥300.00")
    assert site.balance_fen() == 30_000
    assert site.count("ledger_transfers", "kind = 'debit'") == 1


def test_the_pin_is_typed_on_the_keys_and_stays_nowhere(pad: Page, site: Site) -> None:
    site.choose_pay_pin(PIN)
    charge_much(pad, site)
    keys = pad.locator('[data-keypad="pay-pin"]')
    for digit in "260818":
        keys.locator(f'[data-key="{digit}"]').click()
    expect(pad.locator("#pay-pin")).to_have_attribute("type", "password")
    pad.locator(".pay-pin button[type=submit]").click()
    expect(pad.locator("#pin-fault")).to_be_visible()
    expect(pad.locator("#pay-pin")).to_have_value("")
    for digit in PIN:
        keys.locator(f'[data-key="{digit}"]').click()
    pad.locator(".pay-pin button[type=submit]").click()
    pad.wait_for_url(RECEIPT)
    assert site.balance_fen() == 30_000
    kept = pad.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert PIN not in kept
    assert "260818" not in kept


def test_a_slip_is_undone_from_its_receipt(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    pad.locator("#amount").fill("38")
    pad.locator(".charge-submit").click()
    pad.wait_for_url(RECEIPT)
    pad.locator(".undo summary").click()
    pad.locator(".chip-choice", has_text="金额输错了").click()
    pad.locator(".undo button[type=submit]").click()
    expect(pad.get_by_role("heading", name="扣款已撤销")).to_be_visible()
    assert site.balance_fen() == 10_000


def test_the_drawer_is_counted_by_notes_and_handed_over(pad: Page, site: Site) -> None:
    pad.get_by_role("link", name="交接班").click()
    pad.locator(".count-pieces summary").click()
    pad.locator('[data-note="10000"]').fill("2")
    pad.locator('[data-note="50"]').fill("1")
    expect(pad.locator("#counted")).to_have_value("200.50")
    expect(pad.locator("[data-difference]")).to_contain_text("长款")
    pad.locator("#reason").fill("昨天留下的备用金")
    pad.get_by_role("button", name="交班").click()
    expect(pad.get_by_role("heading", name="交班单")).to_be_visible()
    pad.goto("/pad/scan")
    pad.get_by_role("button", name="已清点，接班").click()
    expect(pad.locator("#scanned")).to_be_visible()
    assert site.count("shifts", "float_fen = 20050 AND status = 'open'") == 1


def test_the_scanner_is_heard_on_pages_without_a_box(pad: Page, site: Site) -> None:
    pad.goto("/pad/shift")
    pad.locator("#counted").click()
    scan_in_a_burst(pad, site.member_code())
    expect(pad.locator(".member-balance")).to_contain_text("100.00")
    assert site.count("counter_visits") == 1

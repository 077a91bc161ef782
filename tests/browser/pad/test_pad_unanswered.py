"""The pad when no answer comes: money is asked about until it is known, on whatever page."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.pad.conftest import OpenPad, charge, enrol, scan, sign_in
from tests.browser.pad.site import Site

RECEIPT = re.compile(r"/pad/receipts/")
# As another window of the same pad would.
END_VISIT = """() => {
  const csrf = document.querySelector("meta[name=csrf-token]").content;
  const asked = { method: "POST", headers: { Accept: "application/json" } };
  const body = new URLSearchParams({ csrf });
  return fetch(location.pathname + "/end", { ...asked, body }).then((answer) => answer.status);
}"""


def charge_unheard(pad: Page, yuan: str) -> None:
    """Charge so that the server does it and the page never hears of it."""
    done: list[str] = []

    def hang_first(route: Route) -> None:
        if done:
            route.continue_()
            return
        done.append(route.fetch().text())

    pad.route("**/charges", hang_first)
    charge(pad, yuan)
    expect(pad.locator(".charge-submit")).to_have_attribute("aria-busy", "true")
    while not done:
        pad.wait_for_timeout(20)


def expect_charged_once(page: Page, site: Site) -> None:
    """The receipt of the 40 yuan is in view, and the books know one charge."""
    page.wait_for_url(RECEIPT)
    expect(page.locator(".receipt-amount")).to_have_text("¥40.00")
    assert site.balance_fen() == 6_000
    assert site.count("ledger_transfers", "kind = 'debit'") == 1
    expect(page.locator("#pending")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('o2o.pad.pending')") is None


def test_a_lost_answer_is_asked_for_again_and_charges_once(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().text())
        route.abort()

    pad.route("**/charges", lose_first)
    charge(pad, "25")
    pad.wait_for_url(RECEIPT)
    expect(pad.locator(".receipt-amount")).to_have_text("¥25.00")
    assert len(lost) == 1
    assert site.balance_fen() == 7_500
    assert site.count("ledger_transfers", "kind = 'debit'") == 1


def test_a_reload_between_sending_and_answer_loses_and_doubles_nothing(
    pad: Page, site: Site
) -> None:
    scan(pad, site.member_code())
    charge_unheard(pad, "40")
    pad.reload()
    expect_charged_once(pad, site)


def test_an_intention_that_never_arrived_is_settled_with_a_clear_no(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    pad.route("**/charges", lambda route: route.abort())
    charge(pad, "40")
    expect(pad.locator("#pending")).to_contain_text("请不要重复收款")
    pad.locator(".charge-submit").click()  # Impatience changes nothing.
    assert site.balance_fen() == 10_000

    # The visit is over by the time the network is back.
    ended = pad.evaluate(END_VISIT)
    assert ended == 200
    pad.unroute("**/charges")
    expect(pad.locator("#pending")).to_contain_text("没有成功", timeout=10_000)
    assert site.balance_fen() == 10_000
    assert site.count("ledger_transfers", "kind = 'debit'") == 0


def test_a_closed_tab_is_answered_on_the_next_page(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    charge_unheard(pad, "40")
    pad.close()

    again = pad.context.new_page()
    again.goto("/pad/scan")
    expect_charged_once(again, site)


def test_an_answer_whose_receipt_never_came_is_told_on_the_next_page(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    pad.route("**/pad/receipts/*", lambda route: route.abort())
    charge(pad, "40")
    expect(pad.locator("#pending")).to_contain_text("请不要重复操作")
    pad.close()

    again = pad.context.new_page()
    again.goto("/pad/scan")
    expect_charged_once(again, site)


def test_what_one_tab_waits_for_no_other_sends(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    visit = pad.url
    charge_unheard(pad, "40")

    other = pad.context.new_page()
    other.goto(visit)
    expect(other.locator("#pending")).to_contain_text("请不要重复收款")
    charge(other, "40")
    expect(other.locator("#pending")).to_contain_text("请不要重复收款")
    assert site.count("ledger_transfers", "kind = 'debit'") == 1
    pad.close()
    expect_charged_once(other, site)


def test_who_waited_in_vain_is_told_where_the_answer_is(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    held: list[Route] = []
    # Playwright cannot mark a method of a list as its handler.
    pad.route("**/charges", lambda route: held.append(route))  # noqa: PLW0108
    charge(pad, "40")
    expect(pad.locator(".charge-submit")).to_have_attribute("aria-busy", "true")

    other = pad.context.new_page()
    other.goto("/pad/scan")
    expect(other.locator("#pending")).to_contain_text("正在确认 ¥40.00 是否成功")
    held[0].continue_()
    expect_charged_once(pad, site)
    expect(other.locator("#pending")).to_contain_text("上一笔 ¥40.00 已经有了结果")


def test_a_refusal_of_the_asker_is_no_answer_about_the_money(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    charge_unheard(pad, "40")
    pad.close()

    again = pad.context.new_page()
    refusal = {"code": "staff.role_missing", "message": "refused", "detail": {}}
    again.route("**/charges", lambda route: route.fulfill(status=403, json=refusal))
    again.goto("/pad/scan")
    expect(again.locator("#pending")).to_contain_text("上一笔 ¥40.00 是否成功，现在还无法确认")
    again.unroute("**/charges")
    again.goto("/pad/scan")
    expect_charged_once(again, site)


def test_without_network_the_page_stays_and_the_receipt_comes_later(pad: Page, site: Site) -> None:
    scan(pad, site.member_code())
    pad.route("**/pad/receipts/*", lambda route: route.abort())
    charge(pad, "40")
    expect(pad.locator("#pending")).to_contain_text("请不要重复操作")
    expect(pad.locator(".charge-submit")).to_have_attribute("aria-busy", "true")
    pad.unroute("**/pad/receipts/*")
    expect_charged_once(pad, site)

    pad.route("**/pad/scan", lambda route: route.abort())
    pad.get_by_role("link", name="扫码").click()
    expect(pad.locator("#pending")).to_contain_text("网络不通")
    expect(pad.locator(".receipt-amount")).to_have_text("¥40.00")
    assert site.balance_fen() == 6_000


def test_a_pad_locked_without_network_shows_nothing_and_ends_later(
    open_pad: OpenPad, site: Site
) -> None:
    page = open_pad()
    page.clock.install()
    enrol(page, site)
    sign_in(page)
    scan(page, site.member_code())
    page.route("**/pad/lock", lambda route: route.abort())
    page.clock.run_for(121_000)
    expect(page.locator("#lock-warning")).to_contain_text("平板已锁定")
    expect(page.locator("#content")).to_be_hidden()
    page.mouse.click(500, 700)  # A touch brings nothing back.
    page.clock.run_for(2_000)
    expect(page.locator("#content")).to_be_hidden()
    page.unroute("**/pad/lock")
    page.clock.run_for(4_000)
    expect(page.locator("#sign-in-form")).to_be_visible()
    assert site.count("web_sessions", "audience = 'pad' AND ended_at IS NULL") == 0


def test_a_touch_of_one_page_keeps_the_other_open(open_pad: OpenPad, site: Site) -> None:
    page = open_pad()
    page.context.clock.install()
    enrol(page, site)
    sign_in(page)
    idle = page.context.new_page()
    idle.goto("/pad/scan")
    for _ in range(3):
        page.mouse.click(500, 740)
        page.context.clock.run_for(60_000)
    page.mouse.click(500, 740)
    expect(idle.locator("#scanned")).to_be_visible()
    page.context.clock.run_for(121_000)
    expect(page.locator("#sign-in-form")).to_be_visible()
    expect(idle.locator("#sign-in-form")).to_be_visible()

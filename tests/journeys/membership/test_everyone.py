"""Every page of membership, on a phone and on a desk, for everybody: names, contrast, widths."""

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.membership.conftest import PAD, PHONE, Desk
from tests.journeys.membership.steps import scan, shown_code, top_up

AXE = Path(__file__).parents[3] / "webviews/node_modules/axe-core/axe.min.js"
# Colours do not change with the width: looked at once.
RUN_AXE = """(isFirst) => axe.run(document, {
  resultTypes: ["violations"],
  rules: isFirst ? {} : { "color-contrast": { enabled: false } },
}).then((found) => found.violations
  .filter((fault) => ["serious", "critical"].includes(fault.impact))
  .map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(" | ")}`))"""
TOO_WIDE = "() => document.documentElement.scrollWidth > innerWidth"
DINER = (
    *("card", "code", "wallet", "points", "statement", "refunds", "pass-on", "pin", "me"),
    *("bind", "bind/lost", "privacy", "privacy/profile", "privacy/export", "privacy/delete"),
)
MANAGER = (
    *("members", "members?q=zzzz", "programme", "programme/tiers", "programme/packages"),
    *("adjustments", "adjustments/new", "refunds", "imports", "liability"),
)
MARKETER = ("programme", "programme/tiers", "programme/packages", "programme/packages/new")


def look_at(page: Page, sizes: Sequence[tuple[int, int]] = (PHONE, PAD)) -> None:
    """Nothing serious by axe and nothing beyond the edge, at every size."""
    expect(page.locator("h1").first).to_be_attached()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for at, (width, height) in enumerate(sizes):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(RUN_AXE, at == 0) == [], (page.url, width)
        assert page.evaluate(TOO_WIDE) is False, (page.url, width)


def test_every_page_of_a_diner(desk: Desk) -> None:
    assert AXE.is_file(), "fetch the front end's packages first: make setup"
    person = desk.newcomer("热依汗古丽·阿卜杜热西提")
    phone = desk.phone(person, "card")
    for path in DINER:
        phone.goto(f"/h5/{person.account}/{path}")
        look_at(phone)


def test_every_page_of_a_clerk(desk: Desk) -> None:
    person = desk.newcomer("阿依努尔·吐尔逊江")
    pad = desk.pad()
    for path in ("scan", "lookup", "day", "shift"):
        pad.goto(f"/pad/{path}")
        look_at(pad)
    pad.goto("/pad/scan")
    scan(pad, shown_code(desk, person))
    look_at(pad)
    top_up(pad, "充500送60")
    look_at(pad)
    pad.get_by_role("link", name="继续服务").click()
    pad.locator("#amount").fill("260")
    pad.locator(".charge-submit").click()
    # More than goes without a yes: the pad waits for the phone, the phone is asked.
    expect(pad.get_by_role("heading", name="等待会员确认")).to_be_visible()
    look_at(pad)
    phone = desk.phone(person, f"charges/{pad.url.rpartition('/')[2]}")
    look_at(phone)
    phone.get_by_role("button", name="确认付款").click()
    expect(pad.get_by_role("heading", name="扣款成功")).to_be_visible()
    look_at(pad)
    look_at(phone)


def test_every_page_of_the_desk(desk: Desk) -> None:
    page = desk.page(PHONE)
    page.goto("/console")
    look_at(page)
    manager = desk.console("linfan")
    for path in MANAGER:
        manager.goto(f"/console/{path}")
        look_at(manager)
    # One whom staff know: tags, notes, tastes, relations, purchases.
    manager.goto("/console/members?q=欧阳若溪")
    manager.locator(".member-row").first.click()
    manager.wait_for_url("**/console/members/*-*")
    expect(manager.locator("#merge-other")).to_be_visible()
    look_at(manager)
    marketer = desk.console("tangyi", home="programme")
    for path in MARKETER:
        marketer.goto(f"/console/{path}")
        look_at(marketer)

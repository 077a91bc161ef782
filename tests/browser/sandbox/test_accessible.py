"""The phone can be used by everyone: no serious findings, targets to touch, keys are enough."""

import json

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.sandbox.conftest import SOURCE, OpenPhone, Size
from tests.browser.sandbox.talk import follow, say

AXE = SOURCE.parent / "webviews/node_modules/axe-core/axe.min.js"
SIZES = [Size(1440, 900), Size(1024, 768), Size(390, 844)]


def serious_findings(page: Page) -> list[str]:
    # Evaluated from outside, since the page's own policy lets no foreign script in.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        """axe.run(document, {resultTypes: ["violations"]}).then((report) => report.violations
        .filter((each) => ["serious", "critical"].includes(each.impact))
        .map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 200))]))"""
    )
    return [json.dumps(each, ensure_ascii=False) for each in found]


def test_no_serious_findings_on_the_main_screens(open_phone: OpenPhone) -> None:
    assert AXE.is_file(), "fetch the front end's packages first: make setup"
    page = open_phone()
    assert serious_findings(page) == []

    follow(page)
    say(page, "你好")
    expect(page.get_by_text("收到：你好")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_test_id("account-about").click()
    page.get_by_test_id("watch-faults").click()
    expect(page.get_by_test_id("account-unfollow")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_test_id("back").click()
    page.get_by_test_id("back").click()
    page.get_by_test_id("open-scanner").click()
    expect(page.get_by_test_id("scan-camera")).to_be_visible()
    assert serious_findings(page) == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size.width}x{size.height}")
def test_nothing_overflows_and_targets_are_large_enough(
    open_phone: OpenPhone, sandbox: httpx.Client, size: Size
) -> None:
    sandbox.post("/_sandbox/people/lin/follow", json={"account": "chuxin"})
    page = open_phone(size=size, path="/#person=lin&chat=chuxin")
    expect(page.get_by_test_id("composer")).to_be_visible()

    small = page.evaluate(
        """[...document.querySelectorAll("button, input")]
        .filter((each) => each.checkVisibility({visibilityProperty: true}) && each.type !== "file")
        .filter((each) => !each.classList.contains("filter"))
        .map((each) => [each.className, each.getBoundingClientRect().height])
        .filter(([, height]) => height < 44)"""
    )

    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth") == size.width
    assert page.evaluate("document.documentElement.scrollHeight") <= size.height


def test_sheet_keeps_the_keyboard_and_gives_it_back(open_phone: OpenPhone) -> None:
    page = open_phone()
    page.get_by_test_id("add-person").focus()

    page.keyboard.press("Enter")
    expect(page.get_by_test_id("field-name")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_test_id("add-person")).to_be_focused()
    expect(page.get_by_test_id("field-name")).to_have_count(0)

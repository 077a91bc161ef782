"""A hall in a real Chromium: a clerk calls at the pad, the screen on the wall shows and says it.

With O2O_SCREENSHOTS=folder the pictures of the documents are taken.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from chaos.product import Product
from tests.browser.pad.test_pad_everyone import AXE
from tests.fixtures.browser import chromium
from tests.journeys.test_journey_in_browser import open_page, picture

SERIOUS = """() => axe.run(document, { resultTypes: ["violations"] }).then((found) =>
  found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`))"""
HALL = "莫干山路营业厅"
SAID = """() => { window.said = [];
  window.speechSynthesis.speak = (one) => { if (one.text) window.said.push(one.text);
    setTimeout(() => one.dispatchEvent(new Event("end")), 10); }; }"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, chromium(playwright.chromium) as running:
        yield running


def staff(product: Product, login: str) -> dict[str, str]:
    found: dict[str, str] = next(
        person for person in product.demo["staff"] if person["login"] == login
    )
    return found


def open_pad(browser: Browser, product: Product) -> Page:
    """A pad of the hall with its clerk signed in, at the queues."""
    clerk = staff(product, "shenhao")
    pad = open_page(browser, f"{product.url}/pad", width=1024, height=768)
    pad.locator("button", has_text=HALL).click()
    pad.locator("label.door-person", has_text=clerk["name"]).click()
    pad.get_by_label("输入 PIN").fill(clerk["pin"])
    pad.keyboard.press("Enter")
    pad.wait_for_url("**/pad/scan")
    pad.locator("#pad-tabs").get_by_role("link", name="排队").click()
    pad.wait_for_url("**/pad/queue")
    return pad


def choose_desk(pad: Page) -> None:
    """Stand at counter three."""
    if pad.get_by_text("您在哪个窗口？").first.is_visible():
        pad.get_by_role("button", name="3号窗口").click()
    expect(pad.get_by_text("我在 3号窗口")).to_be_visible()


def called_here(pad: Page) -> set[str]:
    """The codes that this counter has called."""
    return set(pad.locator(".is-here .called-code").all_inner_texts())


def hold_reading(pad: Page) -> list[Route]:
    """Let the board ask for itself and keep the answer back. Answers that one request."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    pad.route("**/pad/queue/board", hold)
    pad.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(pad, lambda: bool(held))
    return held


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait, at most ten seconds, for what only this side can see."""
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(50)
    pytest.fail("it never came to be")


def open_console(browser: Browser, product: Product) -> Page:
    """The manager's console at the hall's queues."""
    manager = staff(product, "lujia")
    console = open_page(browser, f"{product.url}/console/sign-in", width=1280, height=900)
    console.locator("#login").fill(manager["login"])
    console.locator("#password").fill(manager["password"])
    console.locator("button[type=submit]").first.click()
    console.wait_for_url(lambda url: "sign-in" not in url)
    console.goto(f"{product.url}/console/queues")
    console.get_by_role("link", name=re.compile(HALL)).click()
    return console


def check_everyone(page: Page) -> None:
    """Nothing serious by axe, nothing beyond the edge."""
    # A button that fades in has less contrast for a moment; that is nothing to judge.
    page.evaluate(
        "() => Promise.allSettled(document.getAnimations()"
        ".filter((one) => one instanceof CSSTransition).map((one) => one.finished))"
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(SERIOUS) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]  # type: ignore[index]  # set by open_page


def test_a_call_at_the_pad_is_shown_and_said_in_the_hall(
    product: Product, browser: Browser
) -> None:
    console = open_console(browser, product)
    check_everyone(console)
    picture(console, "console-queue")
    address = console.get_by_label("大厅屏", exact=True).input_value()
    wall = open_page(browser, address, width=1920, height=1080)
    wall.evaluate(SAID)
    wall.locator("[data-sound]").click()
    check_everyone(wall)
    digits = wall.locator(".hall-now-number").evaluate("one => getComputedStyle(one).fontSize")
    # Digits are 0.72 of the type's size: 12 hundredths of the screen's height and more.
    assert float(digits.removesuffix("px")) * 0.72 >= 0.12 * 1080

    pad = open_pad(browser, product)
    choose_desk(pad)
    check_everyone(pad)
    pad.locator("form.queue-call button").click()
    here = pad.locator(".is-here .called-code").first
    expect(pad.locator(".queue-done")).to_contain_text("3号窗口")
    code = here.inner_text()
    picture(pad, "pad-queue")
    expect(wall.locator(".hall-now-number")).to_have_text(code)
    expect(wall.locator(".hall-now-place")).to_contain_text("3号窗口")
    # Asked from here: a page of ours may not evaluate what is to be waited for.
    wait_until(wall, lambda: wall.evaluate("window.said.length") >= 2)
    digits_said = code[0] + "".join("零一二三四五六七八九"[int(sign)] for sign in code[1:])
    assert wall.evaluate("window.said") == [f"请{digits_said}号到3号窗口"] * 2
    picture(wall, "display-queue")

    # The same clerk on a phone: missed by mistake, and back with one tap.
    pad.set_viewport_size({"width": 390, "height": 844})
    check_everyone(pad)
    picture(pad, "pad-queue-phone")
    card = pad.locator(".is-here", has_text=code)
    card.get_by_role("button", name="过号").click()
    expect(pad.locator(".queue-done")).to_contain_text(f"{code} 已过号")
    pad.locator(".queue-undo").get_by_role("button", name="再叫").click()
    expect(pad.locator(".queue-done")).to_contain_text(f"已再叫 {code}")
    expect(wall.locator(".hall-now-title")).to_contain_text("再次呼叫")
    # A reading of the board that was asked for before the tap is answered after it.
    late = hold_reading(pad)
    done = pad.locator(".is-here", has_text=code).get_by_role("button", name="办理")
    at = done.bounding_box()
    assert at is not None
    pad.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    pad.mouse.down()
    # The board that comes while the finger is down is not put under it.
    board = pad.locator("[data-board]").element_handle()
    with pad.expect_response("**/pad/queue/board"):
        late.pop().continue_()
    assert board is not None
    assert board.evaluate("one => one.isConnected")
    pad.mouse.up()
    expect(pad.locator(".queue-done")).to_contain_text(f"{code} 已完成")


def test_what_was_done_is_said_though_an_older_reading_is_under_way(
    product: Product, browser: Browser
) -> None:
    pad = open_pad(browser, product)
    choose_desk(pad)
    hold_reading(pad)
    pad.locator("form.queue-call button").click()
    expect(pad.locator(".queue-done")).to_contain_text("3号窗口")
    code = pad.locator(".is-here .called-code").first.inner_text()
    pad.locator(".is-here", has_text=code).get_by_role("button", name="办理").click()
    expect(pad.locator(".queue-done")).to_contain_text(f"{code} 已完成")


def test_a_call_without_an_answer_calls_nobody_twice(product: Product, browser: Browser) -> None:
    pad = open_pad(browser, product)
    choose_desk(pad)
    before = called_here(pad)

    def lose(route: Route) -> None:
        route.fetch()  # It arrives and is done; only its answer is lost.
        route.abort()

    pad.route("**/pad/queue/calls", lose, times=1)
    pad.locator("form.queue-call button").click()
    expect(pad.locator("[data-fault]")).to_be_visible()
    expect(pad.locator(".is-here")).to_have_count(len(before) + 1)
    pad.wait_for_timeout(1300)  # Longer than a double tap.
    pad.locator("form.queue-call button").click()
    expect(pad.locator(".queue-done")).to_contain_text("3号窗口")
    [code] = called_here(pad) - before
    pad.locator(".is-here", has_text=code).get_by_role("button", name="办理").click()
    expect(pad.locator(".queue-done")).to_contain_text(f"{code} 已完成")


def test_a_manager_renames_a_line_and_the_wall_says_so(product: Product, browser: Browser) -> None:
    console = open_console(browser, product)
    address = console.get_by_label("大厅屏", exact=True).input_value()
    console.get_by_role("link", name="队列与窗口").click()
    row = console.locator(".queue-row", has_text="企业用气").first
    row.locator("summary").first.click()
    check_everyone(console)
    row.get_by_label("业务名称").fill("企业业务")
    row.get_by_role("button", name="保存").click()
    expect(console.get_by_role("status")).to_contain_text("已保存")
    wall = open_page(browser, address, width=1280, height=720)
    expect(wall.locator(".hall-queues")).to_contain_text("企业业务")
    assert wall.evaluate("document.documentElement.scrollHeight") == 720

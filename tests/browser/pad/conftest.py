"""A counter, a Chromium, and pads in it: enrolled and signed in as a clerk would."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.pad.site import Site
from tests.factories.staff import PIN
from tests.fixtures.browser import chromium
from tests.fixtures.database import create_database

WAIT_MS = 15_000
# Every answer that a page may rightly get when something is refused.
EXPECTED_NOISE = ("Failed to load resource",)
OpenPad = Callable[..., Page]


# Closed after each file: while it is open, no asyncio test can run in this process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    fake_camera = "--use-fake-device-for-media-stream"
    with sync_playwright() as playwright, chromium(playwright.chromium, fake_camera) as running:
        yield running


@pytest.fixture(scope="session")
def running_site(server_url: str) -> Iterator[Site]:
    running = Site(create_database(server_url, f"pad_{uuid.uuid4().hex[:12]}"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def site(running_site: Site) -> Site:
    """A counter with new people for each test: a member with 100 yuan."""
    running_site.begin()
    return running_site


@pytest.fixture
def open_pad(browser: Browser, site: Site) -> Iterator[OpenPad]:
    """Open a fresh browser at /pad; script errors and refused content fail the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_at(path: str = "/pad", **options: object) -> Page:
        settings: dict[str, object] = {
            "viewport": {"width": 1024, "height": 768},
            "locale": "zh-CN",
            "base_url": site.url,
            **options,
        }
        context = browser.new_context(**settings)  # type: ignore[arg-type]  # options by name
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: (
                faults.append(said.text)
                if said.type == "error" and not said.text.startswith(EXPECTED_NOISE)
                else None
            ),
        )
        page.goto(path)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


def enrol(page: Page, site: Site) -> None:
    """Make the browser a pad with a code from the console."""
    page.get_by_label("8 位登记码").fill(site.enrolment_code())
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator("#sign-in-form")).to_be_visible()


def sign_in(page: Page) -> None:
    """Choose the clerk and type the PIN."""
    page.locator("label.door-person", has_text="店员").first.click()
    page.get_by_label("输入 PIN").fill(PIN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/pad/scan")


def scan(page: Page, code: str) -> None:
    """Do as a hardware scanner: type wherever the focus is, then Enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/pad/visits/*")


def charge(page: Page, yuan: str) -> None:
    """Type an amount and take it from the card."""
    page.locator("#amount").fill(yuan)
    page.locator(".charge-submit").click()


def scan_in_a_burst(page: Page, code: str) -> None:
    """Do as the same scanner where it is known by its pace: no busy machine may come between keys.

    Keys sent one by one from here are as far apart as the machine makes them.
    """
    page.evaluate(
        """(code) => {
            const focused = document.activeElement;
            const way = { bubbles: true, cancelable: true };
            for (const key of [...code, "Enter"]) {
                const pressed = new KeyboardEvent("keydown", { key, ...way });
                if (focused.dispatchEvent(pressed) && key !== "Enter") focused.value += key;
            }
        }""",
        code,
    )
    page.wait_for_url("**/pad/visits/*")


@pytest.fixture
def pad(open_pad: OpenPad, site: Site) -> Page:
    """A pad with the clerk at the scan page."""
    page = open_pad()
    enrol(page, site)
    sign_in(page)
    return page

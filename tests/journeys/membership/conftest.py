"""The whole demo with people's phones, pads and desks in one Chromium, as newcomers try it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from chaos.people import Person, Phones
from chaos.product import Product
from tests.fixtures.browser import chromium
from tests.journeys.conftest import ACCOUNT

WAIT_MS = 20_000
PHONE, PAD, DESK = (375, 812), (1024, 768), (1280, 800)
# What a page may rightly get when something is refused.
EXPECTED_NOISE = ("Failed to load resource",)
# Other tests may be using both cores meanwhile.
expect.set_options(timeout=WAIT_MS)


class Desk:
    """Opens browsers of their own: phones of people, pads of stores, consoles of staff."""

    def __init__(self, browser: Browser, product: Product, phones: Phones) -> None:
        self.product, self.phones = product, phones
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def page(self, size: tuple[int, int], **options: object) -> Page:
        """A fresh browser; script errors and refused content are kept as faults."""
        settings: dict[str, object] = {
            "viewport": {"width": size[0], "height": size[1]},
            "locale": "zh-CN",
            "timezone_id": "Asia/Shanghai",
            "base_url": self.product.url,
            **options,
        }
        context = self._browser.new_context(**settings)  # type: ignore[arg-type]  # options by name
        context.set_default_timeout(WAIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._hear(said.type, said.text))
        return page

    def _hear(self, sort: str, words: str) -> None:
        if sort == "error" and not words.startswith(EXPECTED_NOISE):
            self.faults.append(words)

    def phone(self, person: Person, path: str, **options: object) -> Page:
        """A page of the account inside WeChat, signed in by its page authorisation."""
        page = self.page(PHONE, **options)
        wanted = f"{self.product.url}/h5/{person.account}/{path}"
        page.goto(f"{self.product.sandbox_url}/_sandbox/people/{person.id}/open?url={wanted}")
        return page

    def console(self, login: str, *, home: str = "members") -> Page:
        """Somebody of the staff at the console; `home` is the first page of their menu."""
        page = self.page(DESK)
        page.goto("/console")
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill(self._staff(login)["password"])
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/console/{home}")
        return page

    def pad(self, login: str = "chenjie") -> Page:
        """A clerk at the pad of a store, ready to scan."""
        page = self.page(PAD)
        page.goto("/pad")
        clerk = self._staff(login)
        [store] = [s for s in self.product.demo["stores"] if s["id"] == clerk["store_id"]]
        page.get_by_role("button", name=store["name"]).click()
        page.locator(f"input[name=login][value={login}]").check(force=True)
        page.keyboard.type(clerk["pin"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/pad/scan")
        return page

    def _staff(self, login: str) -> dict[str, str]:
        [found] = [one for one in self.product.demo["staff"] if one["login"] == login]
        return dict(found)

    def newcomer(self, name: str) -> Person:
        """Somebody new who follows the account and took a card."""
        person = self.phones.add(name, account=ACCOUNT)
        self.phones.join(person)
        return person

    def regular(self, name: str, *, phone: str) -> Person:
        """Somebody of the demo's history: the number is theirs, the card is new."""
        answer = self.phones.http.post("/_sandbox/people", json={"name": name, "phone": phone})
        answer.raise_for_status()
        record = answer.json()
        person = Person(record["id"], ACCOUNT, record["openids"][ACCOUNT])
        self.phones.join(person)
        return person

    def close(self) -> None:
        for context in self._contexts:
            context.close()


# Closed after each file: while it is open, no asyncio test can run in this process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, chromium(playwright.chromium) as running:
        yield running


@pytest.fixture
def desk(product: Product, phones: Phones, browser: Browser) -> Iterator[Desk]:
    opened = Desk(browser, product, phones)
    yield opened
    opened.close()
    assert opened.faults == []

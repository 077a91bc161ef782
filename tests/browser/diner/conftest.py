"""The product on a free port with its relay, a member at a counter, and a phone's browser."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from tests.factories.diners import SECRET_KEY, DinerSession, given_diner
from tests.factories.members import Counter, given_counter
from tests.fixtures.browser import END_SECONDS, async_chromium

ROOT = Path(__file__).parents[3]
PHONE = {"width": 375, "height": 812}
START_SECONDS = 60
WAIT_MS = 15_000
SDK = "https://res.wx.qq.com/**"
SCRIPT = "text/javascript"
# WeChat's own script cannot be fetched here; this one remembers what pages tell it.
FAKE_SDK = """
const told = window.toldWeChat = {};
window.wx = {
  config: (given) => { told.config = given; },
  ready: (call) => call(),
  error: () => {},
  updateAppMessageShareData: (given) => { told.friend = given; },
  updateTimelineShareData: (given) => { told.moments = given; },
};
"""

# Opens a browser of its own as a diner: (diner, **context options) → page.
OpenAs = Callable[..., Awaitable[Page]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def seal() -> Seal:
    """The seal of the served product."""
    return Seal(SECRET_KEY)


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal)


@pytest.fixture
async def member(sessions: SessionFactory, counter: Counter, seal: Seal) -> DinerSession:
    return await given_diner(sessions, counter, seal=seal, clock=SystemClock())


@pytest.fixture
async def newcomer(sessions: SessionFactory, counter: Counter, seal: Seal) -> DinerSession:
    return await given_diner(sessions, counter, seal=seal, clock=SystemClock(), is_member=False)


@pytest.fixture
async def site(
    sessions: SessionFactory, database_url: str, tmp_path: Path
) -> AsyncGenerator[str, None]:
    """The address of the product, served by its own command over the tests' database."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {
        "O2O_DATABASE_URL": database_url,
        "O2O_DATA_DIR": str(tmp_path),
        "O2O_SECRET_KEY": SECRET_KEY,
        "O2O_PUBLIC_URL": address,
        "O2O_DEMO": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - it starts and stays
            [sys.executable, "-m", "o2o.app.cli", "serve", "--port", str(port)],
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            await until_ready(address, process)
            yield address
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 30)


async def until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            assert process.poll() is None, "the product ended while starting"
            try:
                if (await client.get(f"{address}/readyz")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


@pytest.fixture
async def browser() -> AsyncGenerator[Browser, None]:
    async with (
        async_playwright() as playwright,
        async_chromium(playwright.chromium, "--force-color-profile=srgb") as running,
    ):
        yield running


@pytest.fixture
async def open_as(site: str, browser: Browser) -> AsyncGenerator[OpenAs, None]:
    """Opens pages as a diner; the test fails when a page complains in its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def open_one(diner: DinerSession, path: str, **options: object) -> Page:
        given = {"viewport": PHONE, "locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
        context = await browser.new_context(base_url=site, **given)  # type: ignore[arg-type]  # options by name
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        cookie = {"name": "o2o_diner", "value": diner.token, "url": site}
        await context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie is a typed dict
        await context.route(SDK, lambda route: route.fulfill(body=FAKE_SDK, content_type=SCRIPT))
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda m: complaints.append(f"{m.text} {m.location}") if m.type == "error" else None,
        )
        await page.goto(f"/h5/{diner.slug}/{path}")
        return page

    yield open_one
    # One that hangs goes with its browser.
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            for context in contexts:
                await context.close()
    assert [text for text in complaints if not is_expected(text)] == []


def is_expected(text: str) -> bool:
    """Whether the console only repeats what a test did on purpose: networks cut, forms refused."""
    # WeChat itself is out of reach, so pages cannot be signed: /jssdk answers 503.
    return "net::ERR_INTERNET_DISCONNECTED" in text or "status of 4" in text or "/jssdk" in text

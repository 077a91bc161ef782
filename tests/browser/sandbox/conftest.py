"""The sandbox on a free port, an account owner that answers, and a Chromium that looks at the phone."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.sandbox.account_owner import AccountOwner, start_owner

SOURCE = Path(__file__).parents[3] / "src"
CHROMIUM = os.environ.get("O2O_CHROMIUM", "/usr/bin/chromium")
WAIT_MS = 15_000
DESK = {"width": 1440, "height": 900}

OpenPhone = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--use-fake-device-for-media-stream"],
        )
        yield running
        running.close()


@pytest.fixture
def owner() -> Iterator[AccountOwner]:
    known = AccountOwner()
    server = start_owner(known)
    yield known
    known.let_answer.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandbox(tmp_path: Path, owner: AccountOwner) -> Iterator[httpx.Client]:
    """A client of a fresh sandbox with the account `chuxin`, whose owner answers in plain mode."""
    command = (sys.executable, "-m", "wechat_sandbox", "serve", "--port", "0")
    process = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready at " in line, line
    owner.sandbox_url = line.strip().rsplit(" ", 1)[1]
    with httpx.Client(base_url=owner.sandbox_url, trust_env=False) as client:
        account = {
            "slug": "chuxin",
            "name": "初心小馆",
            "mode": "plain",
            "callback_url": f"{owner.base}/callback",
        }
        assert client.post("/_sandbox/accounts", json=account).status_code == httpx.codes.CREATED
        yield client
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture
def open_phone(browser: Browser, sandbox: httpx.Client) -> Iterator[OpenPhone]:
    """Opens the desk in a browser of its own; fails the test when the page reports an error."""
    contexts = []
    complaints: list[str] = []

    def open_one(*, size: dict[str, int] | None = None, path: str = "/", lang: str = "zh-CN") -> Page:
        context = browser.new_context(
            viewport={"width": (size or DESK)["width"], "height": (size or DESK)["height"]},
            locale=lang,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto(f"{sandbox.base_url}{path}")
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []

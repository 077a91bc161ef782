"""The sandbox on a free port, an account owner that answers, a Chromium that looks at the phone."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.sandbox.account_owner import AccountOwner, start_owner
from tests.fixtures.browser import chromium

SOURCE = Path(__file__).parents[3] / "src"
WAIT_MS = 15_000


@dataclass(frozen=True)
class Size:
    """Of a window, in CSS pixels."""

    width: int
    height: int


DESK = Size(1440, 900)
OpenPhone = Callable[..., Page]


# Closed after each file: while it is open, no asyncio test can run in this process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    fake_camera = "--use-fake-device-for-media-stream"
    with sync_playwright() as playwright, chromium(playwright.chromium, fake_camera) as running:
        yield running


@pytest.fixture
def owner() -> Iterator[AccountOwner]:
    known = AccountOwner()
    server = start_owner(known)
    yield known
    known.let_answer.set()
    server.shutdown()
    server.server_close()


class Program:
    """The sandbox as a process; `restart` kills it without any goodbye and starts it anew."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process = self._start(port=0)

    def _start(self, *, port: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "wechat_sandbox", "serve"),
                *("--port", str(port), "--data-dir", str(self.data_dir)),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "ready at " in line, line
        self.url = line.strip().rsplit(" ", 1)[1]
        return process

    def stop(self) -> None:
        self.process.terminate()
        self._reap()

    def restart(self) -> None:
        port = urlsplit(self.url).port
        assert port is not None
        self.process.kill()
        self._reap()
        self.process = self._start(port=port)

    def _reap(self) -> None:
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    running = Program(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def sandbox(program: Program, owner: AccountOwner) -> Iterator[httpx.Client]:
    """A client of a fresh sandbox with the account `chuxin`, whose owner answers in plain mode."""
    with httpx.Client(base_url=program.url, trust_env=False) as client:
        account = {
            "slug": "chuxin",
            "name": "初心小馆",
            "mode": "plain",
            "callback_url": f"{owner.base}/callback",
        }
        assert client.post("/_sandbox/accounts", json=account).status_code == httpx.codes.CREATED
        yield client


@pytest.fixture
def open_phone(browser: Browser, sandbox: httpx.Client) -> Iterator[OpenPhone]:
    """Opens the desk in a browser of its own; fails the test when the page reports an error."""
    contexts = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    def open_one(*, size: Size | None = None, path: str = "/") -> Page:
        context = browser.new_context(
            viewport={"width": (size or DESK).width, "height": (size or DESK).height},
            locale="zh-CN",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        page.goto(f"{sandbox.base_url}{path}")
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []

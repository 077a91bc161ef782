"""A browser that does not end when it is told to holds nobody up."""

import signal

import pytest
from playwright.sync_api import sync_playwright

from tests.fixtures import browser
from tests.fixtures.browser import chromium, processes_of


def test_a_chromium_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "END_SECONDS", 1.0)
    mark = browser._new_mark()
    monkeypatch.setattr(browser, "_new_mark", lambda: mark)
    with sync_playwright() as playwright, chromium(playwright.chromium):
        [first] = processes_of(mark)
        first.send_signal(signal.SIGSTOP)
    assert processes_of(mark) == []

"""Event streams: what a browser hears, and when its stream ends."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from o2o.infra.live import STREAM_BACKLOG_MAX, Hub, LiveMessage
from o2o.web import live
from o2o.web.copy import Words
from o2o.web.edge import Scope
from o2o.web.live import SIGN_OF_LIFE, LiveStreams, encode

TOPIC = "member:1"
LONG_SECONDS = 30.0


class Browser:
    """One side of an ASGI exchange."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.is_over = False

    async def receive(self) -> MutableMapping[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.is_over = not message["more_body"]
            if message["body"]:
                self.heard.put_nowait(message["body"])

    async def hears(self) -> bytes:
        return await asyncio.wait_for(self.heard.get(), LONG_SECONDS)


@pytest.fixture
def hub() -> Hub:
    return Hub("postgresql://127.0.0.1/unused")


async def opened(hub: Hub, browser: Browser) -> asyncio.Task[None]:
    """Open a stream and hear its beginning."""

    async def topic_of(_: Scope) -> str | None:
        return TOPIC

    streams = LiveStreams(hub, topic_of, words=Words(), route="/h5/{account}/live")
    stream = asyncio.create_task(
        streams({"type": "http", "path": "/h5/a/live"}, browser.receive, browser.send)
    )
    assert await browser.hears() == b"retry: 2000\n\n"
    # It listens with its next step.
    await asyncio.sleep(0)
    return stream


def message(number: int) -> LiveMessage:
    return LiveMessage(TOPIC, "changed", {"number": number})


async def test_messages_come_at_once_in_their_order_and_only_of_the_topic(hub: Hub) -> None:
    browser = Browser()
    stream = await opened(hub, browser)
    hub.hand_out(message(1))
    hub.hand_out(LiveMessage("member:2", "changed", {}))
    hub.hand_out(message(2))
    assert await browser.hears() == encode(message(1)) + encode(message(2))
    hub.hand_out(message(3))
    assert await browser.hears() == encode(message(3))
    browser.left.set()
    await asyncio.wait_for(stream, LONG_SECONDS)


async def test_who_cannot_keep_up_loses_the_oldest(hub: Hub) -> None:
    browser = Browser()
    stream = await opened(hub, browser)
    for number in range(STREAM_BACKLOG_MAX + 3):
        hub.hand_out(message(number))
    kept = range(3, STREAM_BACKLOG_MAX + 3)
    assert await browser.hears() == b"".join(encode(message(number)) for number in kept)
    browser.left.set()
    await asyncio.wait_for(stream, LONG_SECONDS)


async def test_a_stream_ends_when_the_browser_leaves_or_the_hub_stops(hub: Hub) -> None:
    gone, staying = Browser(), Browser()
    first, second = await opened(hub, gone), await opened(hub, staying)
    gone.left.set()
    await asyncio.wait_for(first, LONG_SECONDS)
    hub.hand_out(message(1))
    assert await staying.hears() == encode(message(1))
    assert (gone.heard.empty(), staying.is_over) == (True, False)
    hub.stop()
    await asyncio.wait_for(second, LONG_SECONDS)
    assert staying.is_over
    assert hub._watches == {}


async def test_what_was_said_before_the_hub_stops_is_heard(hub: Hub) -> None:
    browser = Browser()
    stream = await opened(hub, browser)
    hub.hand_out(message(1))
    hub.stop()
    hub.hand_out(message(2))
    await asyncio.wait_for(stream, LONG_SECONDS)
    assert await browser.hears() == encode(message(1)) + encode(message(2))
    assert browser.is_over


async def test_what_was_said_while_the_last_was_sent_is_heard(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser()
    stream = await opened(hub, browser)
    put = browser.heard.put_nowait

    def put_and_stop(body: bytes) -> None:
        put(body)
        if not hub.is_stopping:
            hub.hand_out(message(2))
            hub.stop()

    monkeypatch.setattr(browser.heard, "put_nowait", put_and_stop)
    hub.hand_out(message(1))
    await asyncio.wait_for(stream, LONG_SECONDS)
    assert [await browser.hears(), await browser.hears()] == [
        encode(message(1)),
        encode(message(2)),
    ]


async def test_a_quiet_stream_gives_signs_of_life_and_ends_in_time(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.001)
    browser = Browser()
    stream = await opened(hub, browser)
    assert [await browser.hears(), await browser.hears()] == [SIGN_OF_LIFE, SIGN_OF_LIFE]
    browser.left.set()
    await asyncio.wait_for(stream, LONG_SECONDS)
    monkeypatch.setattr(live, "STREAM_SECONDS_MAX", 0.0)
    old = Browser()
    await asyncio.wait_for(await opened(hub, old), LONG_SECONDS)
    assert old.is_over


async def test_a_browser_that_leaves_while_it_is_told_is_no_failure(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> None:
        raise OSError

    browser = Browser()
    stream = await opened(hub, browser)
    monkeypatch.setattr(browser.heard, "put_nowait", fail)
    hub.hand_out(message(1))
    await asyncio.wait_for(stream, LONG_SECONDS)
    assert hub._watches == {}

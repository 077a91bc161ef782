"""Server-sent events as plain ASGI: an open stream costs two coroutines and a timer, no more."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from litestar.connection import ASGIConnection

from o2o.infra.bell import Bell
from o2o.infra.live import Hub, LiveMessage
from o2o.infra.logging import get_logger
from o2o.web.answers import fact_as_json
from o2o.web.copy import Words
from o2o.web.edge import Receive, Scope, Send
from o2o.web.errors import SessionInvalid
from o2o.web.language import language_of

log = get_logger(__name__)

KEEP_ALIVE_SECONDS = 20.0
# After this a browser reconnects by itself; a session that ended meanwhile is noticed then.
STREAM_SECONDS_MAX = 900.0
# A comment to the browser, which passes over it.
SIGN_OF_LIFE = b": here\n\n"
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

# Says which topic a request may watch, or None.
TopicOf = Callable[[Scope], Awaitable[str | None]]


def encode(message: LiveMessage) -> bytes:
    """Write a message in the event-stream format (WHATWG HTML §9.2)."""
    data = msgspec.json.encode(message.data).decode()
    return f"event: {message.event}\ndata: {data}\n\n".encode()


class LiveStreams:
    """Serves `…/live` addresses: one stream per page, on the one topic its session may watch."""

    def __init__(self, hub: Hub, topic_of: TopicOf, *, words: Words, route: str) -> None:
        """Stream from `hub` what `topic_of` allows, and refuse the rest in `words`.

        `route` is the address' template, under which the figures count these streams.
        """
        self._hub = hub
        self._words = words
        self._route = route
        self._topic_of = topic_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream until the browser leaves, its time is over or we stop."""
        scope["path_template"] = self._route
        topic = await self._topic_of(scope)
        if topic is None:
            await refuse_stream(scope, send, words=self._words)
            return
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        await send({"type": "http.response.body", "body": b"retry: 2000\n\n", "more_body": True})
        try:
            with self._hub.watch(topic) as watch:

                def news() -> bytes:
                    return b"".join([encode(message) for message in watch.take()])

                await pump(watch.bell, news, hub=self._hub, receive=receive, send=send)
        except OSError as error:  # The browser left between two writes.
            log.debug("live.stream_lost", error=repr(error))


async def pump(
    bell: Bell, news: Callable[[], bytes], *, hub: Hub, receive: Receive, send: Send
) -> None:
    """Send the news whenever the bell rings, and a sign of life when it does not for long.

    Until the browser leaves, its time is over, or `hub` stops, which has to ring the bell: what was
    said by then is sent before the end. Raises OSError when the browser leaves while something is
    sent.
    """
    gone = asyncio.ensure_future(_until_gone(receive))
    gone.add_done_callback(lambda _: bell.ring())
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + STREAM_SECONDS_MAX
    try:
        while not gone.done() and not hub.is_stopping and loop.time() < ends_at:
            is_rung = await bell.wait(seconds=KEEP_ALIVE_SECONDS)
            if gone.done():
                break
            if body := news() if is_rung else SIGN_OF_LIFE:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        last = b"" if gone.done() else news()
        await send({"type": "http.response.body", "body": last, "more_body": False})
    finally:
        gone.cancel()


async def refuse_stream(scope: Scope, send: Send, *, words: Words) -> None:
    """Answer that there is no session for this stream, as every other address does."""
    language = language_of(ASGIConnection(scope))  # type: ignore[arg-type]  # ASGI's own scope
    fact = SessionInvalid()
    body = msgspec.json.encode(fact_as_json(fact, words=words, language=language))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": fact.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _until_gone(receive: Receive) -> None:
    """Return when the browser has left."""
    while (await receive())["type"] != "http.disconnect":
        pass

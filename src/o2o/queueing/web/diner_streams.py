"""`GET /h5/{account}/tickets/{id}/live`: the own ticket's position as an event stream.

What differs is sent at once when the stream opens and then with every change; `id:` carries the
line's version, so that a browser that comes back with the latest hears nothing twice.
"""

import asyncio
from uuid import UUID

import msgspec

from o2o.crm.statuses import Audience
from o2o.infra.live import Hub
from o2o.infra.logging import get_logger
from o2o.infra.metrics import LIVE_STREAMS
from o2o.queueing.boards import Boards, Seat
from o2o.queueing.queries.lines import LineKey
from o2o.queueing.queries.own_tickets import Holder
from o2o.web.cookies import cookie_in, cookie_name
from o2o.web.edge import Receive, Scope, Send
from o2o.web.live import (
    KEEP_ALIVE_SECONDS,
    STREAM_HEADERS,
    STREAM_SECONDS_MAX,
    refuse_stream,
    until_gone,
)
from o2o.web.platform import Platform

log = get_logger(__name__)

ROUTE = "/h5/{account}/tickets/{id}/live"
_PARTS = 6
_RETRY = b"retry: 2000\n\n"
_HERE = b": here\n\n"


def is_ticket_stream(path: str) -> bool:
    """Whether a path below `/h5/` that ends with `/live` is a ticket's."""
    parts = path.split("/")
    return len(parts) == _PARTS and parts[3] == "tickets"


class TicketStreams:
    """Serves the streams of tickets, each to its owner."""

    def __init__(self, boards: Boards, *, hub: Hub, platform: Platform) -> None:
        """Show what `boards` know until `hub` stops."""
        self._boards = boards
        self._hub = hub
        self._platform = platform
        self._cookie = cookie_name(platform.settings, Audience.DINER.value)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream until the browser leaves, its time is over or we stop."""
        scope["path_template"] = ROUTE
        found = await self._find(scope)
        if found is None:
            await refuse_stream(scope, send, words=self._platform.words)
            return
        key, ticket_id = found
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        await send({"type": "http.response.body", "body": _RETRY, "more_body": True})
        gone = asyncio.ensure_future(until_gone(receive))
        LIVE_STREAMS.inc()
        try:
            async with self._boards.watch(key, ticket_id) as seat:
                await self._pump(seat, known=_last_id(scope), gone=gone, send=send)
        except OSError as error:  # The browser left between two writes.
            log.debug("live.stream_lost", error=repr(error))
        finally:
            LIVE_STREAMS.dec()
            gone.cancel()

    async def _find(self, scope: Scope) -> tuple[LineKey, UUID] | None:
        """Return the line and the ticket in the path, if it is the session's own."""
        token = cookie_in(scope, self._cookie)
        _, _, account, _, ticket, _ = scope["path"].split("/")
        if scope.get("method") != "GET" or not token:
            return None
        try:
            ticket_id = UUID(ticket)
        except ValueError:
            return None
        diner = await self._platform.visitors.find_diner(token)
        if diner is None or diner.account_slug != account or diner.is_snapshot:
            return None
        holder = Holder(fan_id=diner.fan_id, member_id=diner.member_id, brand_id=diner.brand_id)
        key = await self._boards.find_line(ticket_id, holder)
        return None if key is None else (key, ticket_id)

    async def _pump(
        self, seat: Seat, *, known: str, gone: asyncio.Future[None], send: Send
    ) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + STREAM_SECONDS_MAX
        while not gone.done() and not self._hub.is_stopping and loop.time() < ends_at:
            rung = asyncio.ensure_future(seat.bell.wait())
            await asyncio.wait(
                (rung, gone), timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            body = _HERE
            if rung.done():
                seat.bell.clear()
                body, known = _news(seat, known)
            else:
                rung.cancel()
            if body and not gone.done():
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _news(seat: Seat, known: str) -> tuple[bytes, str]:
    """Return what to send and, once something was sent, no known version any more."""
    assert seat.seen is not None
    name = f"{seat.version}.{seat.seen.mark}"
    if name == known:
        return b"", ""
    data = msgspec.json.encode(seat.seen).decode()
    return f"id: {name}\nevent: ticket\ndata: {data}\n\n".encode(), ""


def _last_id(scope: Scope) -> str:
    for header, value in scope.get("headers", ()):
        if header.lower() == b"last-event-id":
            return str(value.decode("latin-1"))
    return ""

"""`GET /h5/{account}/tickets/{id}/live`: the own ticket's position as an event stream.

What differs is sent at once when the stream opens and then with every change; `id:` carries the
line's version, so that a browser that comes back with the latest hears nothing twice.
"""

from uuid import UUID

import msgspec

from o2o.crm.statuses import Audience
from o2o.infra.live import Hub
from o2o.infra.logging import get_logger
from o2o.infra.metrics import LIVE_STREAMS
from o2o.queueing.boards import Boards, Seat, Seen
from o2o.queueing.queries.lines import LineKey
from o2o.queueing.queries.own_tickets import Holder
from o2o.web.cookies import cookie_in, cookie_name
from o2o.web.edge import Receive, Scope, Send
from o2o.web.live import STREAM_HEADERS, pump, refuse_stream
from o2o.web.platform import Platform

log = get_logger(__name__)

ROUTE = "/h5/{account}/tickets/{id}/live"
_PARTS = 6
_RETRY = b"retry: 2000\n\n"


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
        LIVE_STREAMS.inc()
        try:
            async with self._boards.watch(key, ticket_id) as seat:
                news = News(seat, known=_last_id(scope))
                await pump(seat.bell, news, hub=self._hub, receive=receive, send=send)
        except OSError as error:  # The browser left between two writes.
            log.debug("live.stream_lost", error=repr(error))
        finally:
            LIVE_STREAMS.dec()

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


class News:
    """What a seat has to say that the browser does not know; `known` is what it came with."""

    __slots__ = ("_known", "_seat", "_told")

    def __init__(self, seat: Seat, *, known: str) -> None:
        """Look at `seat`."""
        self._seat = seat
        self._known = known
        self._told: Seen | None = None

    def __call__(self) -> bytes:
        """Return an event; nothing where nothing is known yet, or the browser has it."""
        seat = self._seat
        if seat.seen is None or seat.seen is self._told:
            return b""
        self._told = seat.seen
        name = f"{seat.version}.{seat.seen.mark}"
        known, self._known = self._known, ""
        if name == known:
            return b""
        data = msgspec.json.encode(seat.seen).decode()
        return f"id: {name}\nevent: ticket\ndata: {data}\n\n".encode()


def _last_id(scope: Scope) -> str:
    for header, value in scope.get("headers", ()):
        if header.lower() == b"last-event-id":
            return str(value.decode("latin-1"))
    return ""

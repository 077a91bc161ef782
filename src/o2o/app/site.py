"""The site of a web worker: everything it answers, opened at start and closed at the end."""

import asyncio
from typing import Any

from o2o.app.demo.people_at_hand import cards_at_hand, staff_at_hand
from o2o.app.http import create_http_app
from o2o.app.leftovers import leave_with_parent
from o2o.app.runtime import Runtime, open_runtime
from o2o.app.wiring import Wired, wire
from o2o.infra.live import Hub
from o2o.infra.settings import Settings
from o2o.membership.web.demo import STATE_KEY as CARDS_STATE_KEY
from o2o.membership.web.live import diner_topic, pad_topic
from o2o.queueing.boards import Boards
from o2o.queueing.web import hall_streams
from o2o.queueing.web.diner_streams import TicketStreams, is_ticket_stream
from o2o.queueing.web.hall_streams import display_topic, pad_queue_topic
from o2o.staff.web.demo import STATE_KEY
from o2o.web.edge import ASGIApp, Edge
from o2o.web.live import LiveStreams
from o2o.web.pages import Pages
from o2o.web.platform import Platform
from o2o.web.visitors import Visitors


class Site:
    """What the ASGI root hands requests to."""

    def __init__(self, runtime: Runtime, wired: Wired) -> None:
        """Put the applications together; nothing runs yet."""
        self._runtime = runtime
        self._wired = wired
        self._hub = Hub(runtime.settings.database_url)
        platform = _platform(runtime, wired, hub=self._hub)
        self._visitors = platform.visitors
        self.callback: ASGIApp = wired.wechat.callback_app
        streams = LiveStreams(
            self._hub, diner_topic(platform), words=wired.words, route="/h5/{account}/live"
        )
        self.diner_live: ASGIApp = Edge(streams, settings=runtime.settings)
        pad_streams = LiveStreams(
            self._hub, pad_topic(platform), words=wired.words, route="/pad/live"
        )
        self.pad_live: ASGIApp = Edge(pad_streams, settings=runtime.settings)
        queue_streams = LiveStreams(
            self._hub,
            pad_queue_topic(platform),
            words=wired.words,
            route=hall_streams.PAD_ROUTE,
        )
        self.pad_queue_live: ASGIApp = Edge(queue_streams, settings=runtime.settings)
        display_streams = LiveStreams(
            self._hub,
            display_topic(platform),
            words=wired.words,
            route=hall_streams.DISPLAY_ROUTE,
        )
        self.display_live: ASGIApp = Edge(display_streams, settings=runtime.settings)
        self._boards = Boards(hub=self._hub, sessions=runtime.sessions, clock=runtime.clock)
        ticket_streams = TicketStreams(self._boards, hub=self._hub, platform=platform)
        self.ticket_live: ASGIApp = Edge(ticket_streams, settings=runtime.settings)
        self.litestar = create_http_app(
            platform,
            pages=wired.page_handlers,
            api=wired.api_handlers,
            state={
                STATE_KEY: staff_at_hand(runtime.settings),
                CARDS_STATE_KEY: cards_at_hand(runtime.settings),
            },
            dependencies=wired.dependencies,
        )
        self.http: ASGIApp = Edge(self.litestar, settings=runtime.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
        self._tasks: list[asyncio.Task[None]] = []

    def stream_of(self, path: str) -> ASGIApp:
        """Return what serves an event stream; the pages answer addresses that are none."""
        if path.startswith("/h5/"):
            return self.ticket_live if is_ticket_stream(path) else self.diner_live
        if hall_streams.is_display_stream(path):
            return self.display_live
        named = {"/pad/live": self.pad_live, hall_streams.PAD_ROUTE: self.pad_queue_live}
        return named.get(path, self.http)

    async def open(self) -> None:
        """Start what runs beside the requests."""
        await self._wired.wechat.start()
        self._tasks.append(asyncio.create_task(self._hub.run()))

    def end_streams(self) -> None:
        """Let open event streams end; browsers come back to whoever serves then."""
        self._hub.stop()
        self._boards.ring_all()

    async def close(self) -> None:
        """Let open streams end, finish what was promised, give the connections back."""
        self.end_streams()
        await self._boards.close()
        await self._visitors.settle()
        await self._wired.wechat.stop()
        await self._wired.till.drain()
        await self._wired.desk.drain()
        await self._wired.queues.drain()
        await self._wired.bookings.drain()
        await asyncio.wait(self._tasks, timeout=5)
        await self._runtime.engine.dispose()


def _platform(runtime: Runtime, wired: Wired, *, hub: Hub) -> Platform:
    return Platform(
        settings=runtime.settings,
        sessions=runtime.sessions,
        seal=runtime.seal,
        clock=runtime.clock,
        visitors=Visitors(runtime.sessions, seal=runtime.seal, clock=runtime.clock),
        hub=hub,
        words=wired.words,
        pages=Pages(wired.words),
        panels=wired.panels,
        console_menu=wired.console_menu,
    )


async def open_site(settings: Settings) -> Site:
    """Open a worker's site. The worker leaves when its parent dies."""
    leave_with_parent()
    runtime = open_runtime(settings)
    site = Site(runtime, wire(runtime))
    await site.open()
    return site


def describe_api() -> dict[str, Any]:
    """Return the OpenAPI description without a database or a running server."""
    runtime = open_runtime(
        Settings(database_url="postgresql://127.0.0.1/none", secret_key="-" * 32)
    )
    site = Site(runtime, wire(runtime))
    return site.litestar.openapi_schema.to_schema()

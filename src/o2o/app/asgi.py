"""The ASGI root of a worker: lifespan, and dispatch by path before the web framework.

WeChat's callbacks and event streams bypass Litestar: its routing costs a third of a callback,
and a stream needs nothing of it.
"""

import os
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from o2o.app.large_pages import use_large_pages
from o2o.app.signals import hear_of_stop
from o2o.app.site import Site, open_site
from o2o.app.starting import collect_rarely, uncollected
from o2o.infra.logging import configure_logging, get_logger
from o2o.infra.settings import read_settings
from o2o.web.edge import Receive, Scope, Send

log = get_logger(__name__)


class Root:
    """What granian runs in each worker process."""

    def __init__(self) -> None:
        """Open nothing yet: the worker's event loop does not run."""
        self._site: Site | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve the lifespan or one exchange; not a coroutine around those of the parts."""
        if scope["type"] == "lifespan":
            return self._lifespan(receive, send)
        site = self._site
        assert site is not None, "the lifespan did not start"
        path: str = scope["path"]
        if path.startswith("/wechat/") and path.endswith("/callback") and path.count("/") == 3:
            return site.callback(scope, receive, send)
        if path.endswith("/live"):
            return site.stream_of(path)(scope, receive, send)
        return site.http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start(send)
            elif message["type"] == "lifespan.shutdown":
                if self._site is not None:
                    await self._site.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _start(self, send: Send) -> None:
        try:
            settings = read_settings()
            configure_logging(as_json=settings.log_json)
            with uncollected():
                self._site = await open_site(settings)
            # The server waits for open streams until it kills us.
            hear_of_stop(self._site.end_streams)
        except Exception as error:
            log.exception("worker.start_failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        # Tail latency: otherwise once in ten messages.
        collect_rarely()
        use_large_pages()
        await send({"type": "lifespan.startup.complete"})


def create_root() -> Any:
    """Create the root for one worker (granian's factory)."""
    _let_threads_finish()
    return Root()


def _let_threads_finish() -> None:
    """Let the worker's threads not interrupt each other, where the system knows how (Linux).

    The server's thread, woken by each single answer, would otherwise take the core from Python to
    send it, and give it back, for every message of a batch: a sixth of the callback's time. Threads
    that start later inherit this.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # A container may forbid it; everything works without.
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

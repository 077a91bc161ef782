"""Imports run in a process of their own: reading a million rows would hold the relay up.

Its memory goes with it, and killing it loses nothing (`o2o.membership.import_runner`).
"""

import asyncio
import sys
from typing import Any

from o2o.infra.logging import get_logger

log = get_logger(__name__)


class ImportProcess:
    """Starts the process when there is something to do and none runs yet."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._is_wanted = False
        self._running: asyncio.Task[None] | None = None

    async def perform(self, _: dict[str, Any]) -> None:
        """See that imports are worked on; does not wait for them."""
        self._is_wanted = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._work())

    async def _work(self) -> None:
        # A process that is about to end may not have seen what was asked of it last.
        while self._is_wanted:
            self._is_wanted = False
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "o2o.app.cli", "import", "work", "--child"
                )
                status = await process.wait()
            except OSError as error:
                log.warning("import.process_not_started", error=repr(error))
                return
            if status != 0:
                # The schedule looks again in a moment.
                log.warning("import.process_ended", status=status)
                return

"""The whole sandbox in one object: settings, clock, memory, live stream and courier."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wechat_sandbox.clock import SandboxClock
from wechat_sandbox.courier import Courier
from wechat_sandbox.database import Database, Transaction
from wechat_sandbox.deliveries import Delivery
from wechat_sandbox.hub import Hub
from wechat_sandbox.people import seed_people
from wechat_sandbox.settings import Settings

DATABASE_NAME = "sandbox.sqlite3"
_CLOCK_FACT = "clock_offset_seconds"


class Sandbox:
    """Made once per process; `running` starts and stops what works in the background."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SandboxClock()
        self.database = Database(settings.data_dir / DATABASE_NAME, self.clock)
        self.hub = Hub()
        self.database.on_notice = self.hub.announce
        self.courier = Courier(self.database)
        with self.database.transaction() as tx:
            row = tx.row("SELECT value FROM facts WHERE name = :name", name=_CLOCK_FACT)
            self.clock.offset_seconds = 0.0 if row is None else json.loads(row["value"])
            seed_people(tx)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.courier.start()
        try:
            yield
        finally:
            self.hub.close()
            await self.courier.stop()
            self.database.close()

    def move_clock(self, seconds: float) -> None:
        """Let time pass at once: tokens age, windows close, codes expire."""
        offset = self.clock.offset_seconds + seconds
        with self.database.transaction() as tx:
            tx.run(
                "INSERT INTO facts (name, value) VALUES (:name, :value)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name=_CLOCK_FACT,
                value=json.dumps(offset),
            )
            tx.notify("clock")
        self.clock.offset_seconds = offset

    def push_after_commit(self, tx: Transaction, delivery: Delivery) -> None:
        """Hand an event to the courier once the change it tells of is committed."""
        tx.after_commit.append(lambda: self.courier.post_later(delivery))

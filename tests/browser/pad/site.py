"""The counter on a free port, in a thread with a loop and a database of its own."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

from granian.constants import Interfaces
from granian.server.embed import Server
from sqlalchemy import text

from o2o.crm import metadata
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.infra.migrations import migrate
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from o2o.membership.actions.answer_charge import confirm_charge
from o2o.membership.actions.pay_pin import set_pay_pin
from o2o.membership.queries.answers import list_waiting_charges
from o2o.staff.actions.create_pad_enrolment import create_pad_enrolment
from o2o.web.edge import Edge
from tests.factories.members import (
    Counter,
    balance_of,
    count,
    given_balance,
    given_counter,
)
from tests.factories.packages import given_package
from tests.factories.pads import counter_app, counter_platform, given_code
from tests.factories.staff import given_staff

T = TypeVar("T")
PATIENCE_SECONDS = 30
MANAGER = "manager-here"


class Site:
    """The running counter; its methods may be called from the test's own thread."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._seal = Seal("a key for tests that is long enough")
        self._clock = SystemClock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._sessions: SessionFactory
        self._server: Server
        self.counter: Counter
        self.manager_id: UUID
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS), "the counter did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def _run(self) -> None:
        # Not in the test's thread: a loop runs there as long as the browser does.
        migrate(self._database_url)
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        engine = create_engine(self._database_url, pool_size=8)
        self._sessions = create_sessions(engine)
        platform = counter_platform(
            self._sessions, seal=self._seal, clock=self._clock, public_url=self.url
        )
        edge = Edge(counter_app(platform), settings=platform.settings)  # type: ignore[arg-type]  # Litestar types its own ASGI
        port = int(self.url.rpartition(":")[2])
        self._server = Server(edge, address="127.0.0.1", port=port, interface=Interfaces.ASGINL)
        self._loop.call_soon(self._ready.set)
        await self._server.serve()
        await engine.dispose()

    def begin(self) -> None:
        """Forget everything and begin with new people: a member with 100 yuan."""
        self._ask(self._people())

    async def _people(self) -> None:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        async with transaction(self._sessions) as tx:
            # The books refuse TRUNCATE; as a replica the session is exempt from triggers.
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        self.counter = await given_counter(self._sessions, seal=self._seal)
        async with transaction(self._sessions) as tx:
            self.manager_id = await given_staff(
                tx,
                self.counter.brand,
                role=StaffRoleName.MANAGER,
                store_id=self.counter.store.id,
                login=MANAGER,
            )
            await given_package(tx, self.counter.brand.id)

    def _ask(self, asked: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(PATIENCE_SECONDS)

    def member_code(self) -> str:
        """A live code on the member's phone."""
        return self._ask(
            given_code(
                self._sessions,
                seal=self._seal,
                member_id=self.counter.member_id,
                clock=self._clock,
            )
        )

    def enrolment_code(self) -> str:
        """Eight digits that the manager made."""
        return self._ask(self._enrolment_code())

    async def _enrolment_code(self) -> str:
        async with transaction(self._sessions) as tx:
            return await create_pad_enrolment(
                tx,
                seal=self._seal,
                store_id=self.counter.store.id,
                by=self.manager_id,
                now=self._clock.now(),
            )

    def waiting_charge(self) -> UUID:
        """The charge that the member is asked about."""
        return self._ask(self._waiting_charge())

    async def _waiting_charge(self) -> UUID:
        async with transaction(self._sessions) as tx:
            [charge] = await list_waiting_charges(
                tx, member_id=self.counter.member_id, now=self._clock.now()
            )
        return charge.request_id

    def say_yes(self, request_id: UUID) -> None:
        """Do what the member does on the phone."""
        self._ask(self._say_yes(request_id))

    async def _say_yes(self, request_id: UUID) -> None:
        async with transaction(self._sessions) as tx:
            await confirm_charge(
                tx,
                request_id=request_id,
                member_id=self.counter.member_id,
                now=self._clock.now(),
            )

    def choose_pay_pin(self, pin: str) -> None:
        """Let the member choose a pay PIN."""
        self._ask(self._choose_pay_pin(pin))

    async def _choose_pay_pin(self, pin: str) -> None:
        async with transaction(self._sessions) as tx:
            await set_pay_pin(tx, member_id=self.counter.member_id, pin=pin, now=self._clock.now())

    def top_up(self, principal_fen: int) -> None:
        """Put money onto the member's card, beforehand."""
        self._ask(self._top_up(principal_fen))

    async def _top_up(self, principal_fen: int) -> None:
        async with transaction(self._sessions) as tx:
            await given_balance(
                tx,
                self.counter.member_id,
                self.counter.store.id,
                principal_fen=principal_fen,
            )

    def balance_fen(self) -> int:
        return self._ask(balance_of(self._sessions, self.counter.member_id))

    def count(self, table: str, where: str = "true") -> int:
        return self._ask(count(self._sessions, table, where))

"""What the product sends to PostgreSQL for one request over HTTP, recorded from the real thing.

The whole application runs in this process, without a socket; SQLAlchemy's own events tell each
statement with its parameters, what came back, and where transactions begin and end. Statements that
pass SQLAlchemy by (`o2o.infra.direct`) are heard where they reach the driver.
"""

from collections.abc import AsyncGenerator, Generator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.world import World, account_id, member_id
from o2o.app.runtime import open_runtime
from o2o.app.site import Site
from o2o.app.wiring import wire
from o2o.infra import direct
from o2o.infra.settings import Settings
from o2o.kernel.ids import new_request_id

AMOUNT_FEN = 137
# Three members whose balances differ, so that chance does not make two figures alike.
RECORDED_MEMBERS = (17, 1203, 2999)

BEGIN = "BEGIN"
COMMIT = "COMMIT"


class Statement(msgspec.Struct, frozen=True):
    """One statement as the driver got it; BEGIN and COMMIT have neither parameters nor rows."""

    sql: str
    parameters: tuple[Any, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One request: what it was about, how much it asked for, and all that was sent for it."""

    request_id: UUID
    # A member and his account, or a queue.
    ids: tuple[UUID, ...]
    # In fen; or how many numbers.
    amount: int
    statements: tuple[Statement, ...]


class _Recorder:
    """Listens to one engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.heard: list[Statement] = []
        for name in ("begin", "commit", "after_cursor_execute"):
            event.listen(engine.sync_engine, name, getattr(self, name))

    def begin(self, _: Any) -> None:
        self.heard.append(Statement(BEGIN))

    def commit(self, _: Any) -> None:
        self.heard.append(Statement(COMMIT))

    def after_cursor_execute(
        self, _conn: Any, cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        names = [column[0] for column in cursor.description or ()]
        # The driver's adapter has fetched all rows by now; looking at them takes none away.
        rows = tuple(dict(zip(names, row, strict=True)) for row in getattr(cursor, "_rows", ()))
        self.heard.append(Statement(statement, tuple(parameters), rows))

    @contextmanager
    def hearing_direct_ones(self) -> Generator[None, None, None]:
        """Hear what goes straight to the driver, too."""
        fetch = direct._fetch  # noqa: SLF001 - the one door that all of them go through

        async def heard(connection: Any, statement: str, values: tuple[Any, ...]) -> list[Any]:
            rows = await fetch(connection, statement, values)
            given = tuple(
                list(one) if isinstance(one, AbstractSet | tuple) else one for one in values
            )
            self.heard.append(Statement(statement, given, tuple(dict(row) for row in rows)))
            return rows

        direct._fetch = heard  # noqa: SLF001
        try:
            yield
        finally:
            direct._fetch = fetch  # noqa: SLF001


async def record_debits(database_url: str, world: World) -> list[Recording]:
    """Debit a few members, one request at a time, and return what was sent for each."""
    async with open_site(database_url, world) as recorded:
        # The first request also opens the connection.
        await _debit(recorded, world, number=0)
        return [await _debit(recorded, world, number=number) for number in RECORDED_MEMBERS]


async def _debit(recorded: "Recorded", world: World, *, number: int) -> Recording:
    return await recorded.send(
        f"/api/v1/members/{member_id(number)}/debits",
        ids=(member_id(number), account_id(number)),
        amount=AMOUNT_FEN,
        body={"amount_fen": AMOUNT_FEN, "store_id": str(world.store_id)},
    )


class Recorded:
    """The application with somebody who listens to what it says to the database."""

    def __init__(self, client: httpx.AsyncClient, recorder: _Recorder) -> None:
        self._client = client
        self._recorder = recorder

    async def send(
        self, path: str, *, ids: tuple[UUID, ...], amount: int, body: dict[str, Any]
    ) -> Recording:
        """Send one request, an intention of its own, which must be answered with 201."""
        self._recorder.heard.clear()
        request_id = new_request_id()
        answer = await self._client.post(path, json={"request_id": str(request_id), **body})
        if answer.status_code != httpx.codes.CREATED:
            msg = f"{path} was answered {answer.status_code}: {answer.text}"
            raise RuntimeError(msg)
        return Recording(
            request_id=request_id,
            ids=ids,
            amount=amount,
            statements=tuple(self._recorder.heard),
        )


@asynccontextmanager
async def open_site(database_url: str, world: World) -> AsyncGenerator[Recorded, None]:
    """Run the whole application in this process, without a socket."""
    runtime = open_runtime(
        Settings(database_url=database_url, secret_key=world.secret_key, pool_size=1)
    )
    site = Site(runtime, wire(runtime))
    recorder = _Recorder(runtime.engine)
    transport = httpx.ASGITransport(app=site.http)
    headers = {"Authorization": f"Bearer {world.api_key}"}
    try:
        with recorder.hearing_direct_ones():
            async with httpx.AsyncClient(
                transport=transport, base_url="http://bench", headers=headers
            ) as client:
                yield Recorded(client, recorder)
    finally:
        await runtime.engine.dispose()

"""Statements straight to the driver, for the few hottest ones.

A session and its result rows cost several times the statement itself, and BEGIN and COMMIT are
round trips of their own.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from o2o.infra.database import (
    CONNECT_ARGUMENTS,
    SessionFactory,
    Tx,
    encode_json,
    losses_named,
)

_PLACE = "direct"
_DRIVER = "driver"
_ANY = re.compile(r"= ANY\(CAST\(:(\w+) AS (\w+)\[\]\)\)")
_DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy types no dialect


class Row(asyncpg.Record):  # type: ignore[misc]  # asyncpg has no types
    """A row as the driver read it, its columns by name as with SQLAlchemy's."""

    def __getattr__(self, name: str) -> Any:
        """Return a column. Raises AttributeError."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Direct:
    """A connection on which every statement is a transaction of its own. For one task at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Connect to the engine's database when first used."""
        url = engine.url.set(drivername="postgresql")
        self._dsn = url.render_as_string(hide_password=False)
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """Return the rows. Raises DBAPIError, OSError, TimeoutError: the outcome is unknown."""
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await self._connect()
        return await _fetch(connection, statement, values)

    async def close(self) -> None:
        """Say goodbye; a next statement would connect again."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=1)
            except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
                connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        try:
            connection = await asyncpg.connect(self._dsn, **CONNECT_ARGUMENTS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DBAPIError("connect", None, error, connection_invalidated=True) from error
        for kind in ("json", "jsonb"):
            await connection.set_type_codec(
                kind,
                schema="pg_catalog",
                encoder=encode_json,
                decoder=msgspec.json.decode,
            )
        return connection


def direct_of(sessions: SessionFactory) -> Direct:
    """Return a new connection to where these transactions go."""
    engine: AsyncEngine = sessions.kw["bind"]
    return Direct(engine)


class _Lent:
    """A connection of the pool, on which every statement is a transaction of its own."""

    def __init__(self, driver: asyncpg.Connection) -> None:
        self._driver = driver

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        return await _fetch(self._driver, statement, values)


@asynccontextmanager
async def reading_direct(sessions: SessionFactory) -> AsyncGenerator[Tx, None]:
    """As `reading`, for `fetch_direct` and `fetch_rows` alone: nothing of a session is set up.

    A write in it is kept at once; other ways to the database are refused. Raises DatabaseAway when
    the connection is lost or cannot be had.
    """
    engine: AsyncEngine = sessions.kw["bind"]
    with losses_named():
        async with engine.connect() as connection, sessions(autobegin=False) as tx:
            lead_past(tx, _Lent(await _live_driver(connection)))
            yield tx


def lead_past(tx: Tx, direct: Direct | _Lent) -> None:
    """Let `fetch_direct` use this connection for as long as the transaction has not begun.

    For transactions on demand with one write at most before their end: it commits by itself.
    """
    tx.info[_PLACE] = direct


async def fetch_direct(tx: Tx, statement: str, *values: Any) -> list[Row]:
    """Return the rows of a statement (`$1` …) inside the transaction, if there is one by now.

    Otherwise it runs on the connection of `lead_past`, as a transaction of its own. Raises
    DBAPIError like any other statement.
    """
    direct: Direct | _Lent | None = tx.info.get(_PLACE)
    if direct is not None and not tx.in_transaction():
        return await direct.fetch(statement, *values)
    return await _fetch(await _driver_of(tx), statement, values)


async def fetch_rows(tx: Tx, statement: TextClause, values: Mapping[str, Any]) -> list[Row]:
    """As `fetch_direct`, for a statement with names (`:name`) that is written once.

    Values and columns are the driver's own: no types of SQLAlchemy's, JSON only in answers. Where
    it asks `= ANY(CAST(:ids AS …[]))` for a list of one, that one is asked for (`_of_one`).
    """
    words = statement.text
    if (name := _list_in(words)) is not None and len(values[name]) == 1:
        [only] = values[name]
        words, values = _of_one(words), {**values, name: only}
    numbered, names = _numbered(words)
    return await fetch_direct(tx, numbered, *[values[name] for name in names])


async def write_rows(tx: Tx, statement: TextClause, values: Mapping[str, Any]) -> list[Row]:
    """As `fetch_rows`, but always inside the transaction, which this begins if nothing else did.

    For writes that must be undone with what comes after them.
    """
    numbered, names = _numbered(statement.text)
    return await _fetch(await _driver_of(tx), numbered, tuple(values[name] for name in names))


@lru_cache(maxsize=512)
def _list_in(statement: str) -> str | None:
    """Return the name of the only list that a statement has, where it is a list in nothing else."""
    names = set(_ANY.findall(statement))
    if len(names) != 1:
        return None
    [(name, _)] = names
    everywhere = re.findall(rf"(?<!:):{name}\b", statement)
    return name if len(everywhere) == len(_ANY.findall(statement)) else None


@lru_cache(maxsize=512)
def _of_one(statement: str) -> str:
    """Ask for one: its plan is kept, where one for a list is made anew every time.

    PostgreSQL takes a list of unknown length for ten, and so finds each plan for a known one
    cheaper than the plan it could keep; making it takes three times as long as running it.
    """
    return _ANY.sub(r"= CAST(:\1 AS \2)", statement)


@lru_cache(maxsize=512)
def _numbered(statement: str) -> tuple[str, list[str]]:
    compiled = text(statement).compile(dialect=_DIALECT)
    return compiled.string, compiled.positiontup or []


async def _live_driver(connection: AsyncConnection) -> asyncpg.Connection:
    """Return the driver of a pool's connection, passing over those that a restart left dead."""
    while True:
        adapted: Any = (await connection.get_raw_connection()).dbapi_connection
        driver: asyncpg.Connection = adapted._connection  # noqa: SLF001 - the adapter has no name for it
        if not driver.is_closed():
            return driver
        await connection.invalidate()


async def _driver_of(tx: Tx) -> asyncpg.Connection:
    # A session keeps its connection until its transaction ends; asking for it costs a greenlet.
    driver: asyncpg.Connection | None = tx.info.get(_DRIVER)
    if driver is not None and tx.in_transaction():
        return driver
    connection = await tx.connection()
    adapted: Any = connection.sync_connection.connection.dbapi_connection  # type: ignore[union-attr]
    if adapted._transaction is None:  # noqa: SLF001 - the adapter begins with its first statement
        await adapted._start_transaction()  # noqa: SLF001
    driver = tx.info[_DRIVER] = adapted._connection  # noqa: SLF001
    return driver


async def _fetch(
    connection: asyncpg.Connection, statement: str, values: tuple[Any, ...]
) -> list[Row]:
    try:
        rows: list[Row] = await connection.fetch(statement, *values, record_class=Row)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise named_error(statement, error, connection) from error
    return rows


def named_error(statement: str, error: Exception, connection: asyncpg.Connection) -> DBAPIError:
    """Return the driver's error as a session would raise it."""
    is_refused = isinstance(error, asyncpg.IntegrityConstraintViolationError)
    kind = IntegrityError if is_refused else DBAPIError
    return kind(statement, None, error, connection_invalidated=connection.is_closed())

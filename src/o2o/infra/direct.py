"""Statements straight to the driver, for the few hottest ones.

A session and its result rows cost several times the statement itself, and BEGIN and COMMIT are
round trips of their own.
"""

from typing import Any

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from o2o.infra.database import CONNECT_ARGUMENTS, SessionFactory, Tx, encode_json

_PLACE = "direct"


class Direct:
    """A connection on which every statement is a transaction of its own. For one task at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Connect to the engine's database when first used."""
        url = engine.url.set(drivername="postgresql")
        self._dsn = url.render_as_string(hide_password=False)
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
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
        await connection.set_type_codec(
            "jsonb",
            schema="pg_catalog",
            encoder=encode_json,
            decoder=msgspec.json.decode,
        )
        return connection


def direct_of(sessions: SessionFactory) -> Direct:
    """Return a new connection to where these transactions go."""
    engine: AsyncEngine = sessions.kw["bind"]
    return Direct(engine)


def lead_past(tx: Tx, direct: Direct) -> None:
    """Let `fetch_direct` use this connection for as long as the transaction has not begun.

    For transactions on demand with one write at most before their end: it commits by itself.
    """
    tx.info[_PLACE] = direct


async def fetch_direct(tx: Tx, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Return the rows of a statement (`$1` …) inside the transaction, if there is one by now.

    Otherwise it runs on the connection of `lead_past`, as a transaction of its own. Raises
    DBAPIError like any other statement.
    """
    direct: Direct | None = tx.info.get(_PLACE)
    if direct is not None and not tx.in_transaction():
        return await direct.fetch(statement, *values)
    connection = await tx.connection()
    adapted: Any = connection.sync_connection.connection.dbapi_connection  # type: ignore[union-attr]
    if adapted._transaction is None:  # noqa: SLF001 - the adapter begins with its first statement
        await adapted._start_transaction()  # noqa: SLF001
    return await _fetch(adapted._connection, statement, values)  # noqa: SLF001


async def _fetch(
    connection: asyncpg.Connection, statement: str, values: tuple[Any, ...]
) -> list[asyncpg.Record]:
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DBAPIError(
            statement, None, error, connection_invalidated=connection.is_closed()
        ) from error
    return rows

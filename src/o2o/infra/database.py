"""The database: engine, the one transaction, and the refusal to run without durability."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from o2o.kernel.errors import Unavailable

STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
COMMAND_TIMEOUT_SECONDS = STATEMENT_TIMEOUT_MS / 1000 + 1
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
SERVER_VERSION_MIN = 15
CONNECT_ARGUMENTS: Mapping[str, Any] = {
    "timeout": 5,
    # A server that was stopped, not closed, cannot end its own statements.
    "command_timeout": COMMAND_TIMEOUT_SECONDS,
    "server_settings": {
        "application_name": "o2o",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        # Planning a short statement again costs more than it saves; and never compile it.
        "jit": "off",
    },
}


class DatabaseAway(Unavailable):
    """The database does not answer."""

    code = "database.away"


class DurabilityOff(Exception):
    """The database would acknowledge commits that a power cut can undo."""


class Tx(AsyncSession):
    """One open transaction. Nobody but `transaction()` ends it."""

    async def commit(self) -> NoReturn:
        """Refuse: one request or job is one transaction, committed in one place."""
        msg = "only o2o.infra.database.transaction() commits"
        raise AssertionError(msg)

    async def rollback(self) -> NoReturn:
        """Refuse: raise a named error instead, the transaction then undoes itself."""
        msg = "raise an error instead of rolling back"
        raise AssertionError(msg)


SessionFactory = async_sessionmaker[Tx]


def async_url(url: str) -> str:
    """Return the address with the asyncpg driver named, as SQLAlchemy wants it."""
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    return url


def encode_json(value: Any) -> str:
    """Return a value as the text of a JSON column."""
    return msgspec.json.encode(value).decode()


def create_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """Create the engine of one process. The pool stays small: commits are batched, not parallel."""
    return create_async_engine(
        async_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        json_serializer=encode_json,
        json_deserializer=msgspec.json.decode,
        connect_args=CONNECT_ARGUMENTS,
    )


def create_sessions(engine: AsyncEngine) -> SessionFactory:
    """Create the factory of transactions over one engine."""
    return async_sessionmaker(engine, class_=Tx, expire_on_commit=False)


@asynccontextmanager
async def transaction(sessions: SessionFactory) -> AsyncGenerator[Tx, None]:
    """Open a transaction, commit at the end, undo on any error. The only place that commits.

    Raises DatabaseAway when the connection is lost or cannot be had; after a lost commit the
    outcome is unknown, which is why every write carries a request id.
    """
    with losses_named():
        async with sessions.begin() as tx:
            yield tx


@asynccontextmanager
async def reading(sessions: SessionFactory) -> AsyncGenerator[Tx, None]:
    """Open a session whose statements each stand alone: short reads, or single writes.

    Each statement sees what is committed by then, as inside a transaction of ours; what is spared
    are BEGIN and COMMIT, two of four round trips. A write in it is kept at once. Raises
    DatabaseAway when the connection is lost or cannot be had.
    """
    with losses_named():
        async with sessions() as tx:
            _ = await tx.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            yield tx


@asynccontextmanager
async def transaction_beside(tx: Tx) -> AsyncGenerator[Tx, None]:
    """Open a transaction of its own on the same database, for what outlives a refusal of `tx`.

    Call it before the first statement of `tx`: then `tx` holds neither a second connection nor a
    row that this one would wait for.
    """
    async with transaction(async_sessionmaker(tx.bind, class_=Tx, expire_on_commit=False)) as own:
        yield own


@asynccontextmanager
async def transaction_on_demand(
    sessions: SessionFactory, *, spare: list[Tx]
) -> AsyncGenerator[Tx, None]:
    """As `transaction`, begun by its first statement: where usually none is needed, none is paid.

    `o2o.infra.direct` sends statements past it as long as it has not begun. One that never began
    is left in `spare` for the next: making a session costs as much as a short statement.
    """
    with losses_named():
        tx = spare.pop() if spare else sessions()
        try:
            yield tx
            if tx.in_transaction():
                await AsyncSession.commit(tx)
            else:
                spare.append(tx)
        finally:
            # Undoes what was not committed.
            if tx.in_transaction():
                await tx.close()


@contextmanager
def losses_named() -> Generator[None, None, None]:
    """Raise DatabaseAway for what a lost or missing connection looks like."""
    try:
        yield
    except DBAPIError as error:
        if is_connection_lost(error):
            raise DatabaseAway from error
        raise
    except (OSError, TimeoutError) as error:
        raise DatabaseAway from error


def is_connection_lost(error: DBAPIError) -> bool:
    """Whether the server went away, as against refusing what we asked."""
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or sqlstate[:2] in {"08", "57"} or sqlstate == "53300"


def violated_constraint(error: DBAPIError) -> str | None:
    """Return the name of the constraint that refused a write, if that is what happened."""
    cause: Any = error.orig
    while cause is not None:
        name = getattr(cause, "constraint_name", None)
        if name:
            return str(name)
        cause = cause.__cause__
    return None


async def ping(tx: Tx) -> None:
    """Ask the server for a sign of life."""
    await tx.execute(text("SELECT 1"))


async def check_durability(engine: AsyncEngine) -> None:
    """Raise DurabilityOff unless a commit the server acknowledges survives a power cut."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT name, setting FROM pg_settings WHERE name IN"
                " ('fsync', 'synchronous_commit', 'full_page_writes', 'server_version_num')"
            )
        )
        values = {str(row.name): str(row.setting) for row in rows}
    faults = [
        f"{name} is {values.get(name)}; set {name} = on in postgresql.conf and restart PostgreSQL"
        for name in ("fsync", "full_page_writes")
        if values.get(name) != "on"
    ]
    if values.get("synchronous_commit") not in {"on", "remote_apply", "remote_write", "local"}:
        faults.append(
            f"synchronous_commit is {values.get('synchronous_commit')};"
            " set it to on for the server, this database and this role"
        )
    if int(values.get("server_version_num", "0")) // 10_000 < SERVER_VERSION_MIN:
        faults.append(f"PostgreSQL {SERVER_VERSION_MIN} or newer is needed")
    if faults:
        raise DurabilityOff("; ".join(faults) + ".")


async def allow_pauses(tx: Tx, *, seconds: int) -> None:
    """Let this transaction think for so long between statements; a request's would be ended.

    For what is computed while nobody else needs the rows, such as filling an empty database.
    """
    await tx.execute(
        text("SELECT set_config('idle_in_transaction_session_timeout', :wait, true)"),
        {"wait": f"{seconds}s"},
    )

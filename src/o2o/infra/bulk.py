"""Many rows into a table at once, by the protocol that the server has for it (COPY)."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from o2o.infra.database import Tx
from o2o.infra.direct import named_error


async def copy_rows(
    tx: Tx, table: str, rows: Iterable[Sequence[Any]], *, columns: Sequence[str]
) -> None:
    """Write rows into a table inside the transaction. Raises DBAPIError like any statement."""
    connection = await tx.connection()
    adapted: Any = connection.sync_connection.connection.dbapi_connection  # type: ignore[union-attr]
    if adapted._transaction is None:  # noqa: SLF001 - the adapter begins with its first statement
        await adapted._start_transaction()  # noqa: SLF001
    driver: asyncpg.Connection = adapted._connection  # noqa: SLF001
    try:
        await driver.copy_records_to_table(table, records=rows, columns=list(columns))
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise named_error(f"COPY {table}", error, driver) from error

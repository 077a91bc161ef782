"""Two transactions at once, the later of which must wait for the earlier."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.ledger.errors import BooksOutOfStep

Act = Callable[[Tx], Awaitable[Any]]

_BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND cardinality(pg_blocking_pids(pid)) > 0"
)


def without(statement: TextClause, words: str) -> TextClause:
    """The product's own statement less one guard."""
    assert words in statement.text
    return text(statement.text.replace(words, ""))


async def until_blocked(sessions: SessionFactory) -> None:
    """Wait until some connection waits for another one's transaction."""
    while True:
        async with sessions() as tx:
            if await tx.scalar(_BLOCKED):
                return
        await asyncio.sleep(0.01)


async def both_at_once(sessions: SessionFactory, earlier: Act, later: Act) -> tuple[Any, Any]:
    """Start the later one when the earlier is done but not committed; return what both came to."""

    async def run() -> Any:
        try:
            async with transaction(sessions) as tx:
                return await later(tx)
        except (DBAPIError, BooksOutOfStep) as error:
            return error

    async with transaction(sessions) as tx:
        first = await earlier(tx)
        task = asyncio.create_task(run())
        await asyncio.wait_for(until_blocked(sessions), timeout=30)
    return first, await task

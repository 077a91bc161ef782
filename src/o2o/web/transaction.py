"""The one transaction of a request, or reads without any."""

from collections.abc import AsyncGenerator

from litestar.di import NamedDependency

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.direct import reading_direct


async def provide_tx(sessions: NamedDependency[SessionFactory]) -> AsyncGenerator[Tx, None]:
    """Commit after the handler and before the response is sent; a failing commit becomes it.

    The only generator among the dependencies: with several, Litestar cleans them up
    concurrently and a failed commit hides in an exception group. No other dependency may raise
    once this one is open (Litestar would not close it), which is why principals come from
    guards. Nothing is sent to the database before the first statement.
    """
    async with transaction(sessions) as tx:
        yield tx


async def provide_reads(sessions: NamedDependency[SessionFactory]) -> AsyncGenerator[Tx, None]:
    """Give a page that only reads, by `fetch_rows`, what each statement sees committed.

    BEGIN and COMMIT are two round trips more, which the pages asked most need not pay.
    """
    async with reading_direct(sessions) as reads:
        yield reads

"""Brief transactions of their own for pages that go on to the coalescers.

Whoever held a connection while waiting for another could wait for ever.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from o2o.infra.database import SessionFactory, Tx, transaction

R = TypeVar("R")


async def briefly(sessions: SessionFactory, work: Callable[[Tx], Awaitable[R]]) -> R:
    """Do the work in a transaction of its own and return what it returns. Raises what it raises."""
    async with transaction(sessions) as tx:
        return await work(tx)

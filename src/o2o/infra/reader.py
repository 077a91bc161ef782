"""A coalescer for short statements that need no transaction.

What every request asks before anything else, who is behind a cookie or a key, is answered in one
round trip for all that wait.
"""

from collections.abc import Sequence
from typing import TypeVar

from o2o.infra.coalescer import Coalescer
from o2o.infra.direct import reading_direct
from o2o.kernel.errors import Fact

C = TypeVar("C")
R = TypeVar("R")


class Reader(Coalescer[C, R]):
    """Runs an action that uses `fetch_direct`; what it writes is kept at once."""

    async def _run(self, commands: Sequence[C]) -> Sequence[R | Fact]:
        async with reading_direct(self._sessions) as tx:
            return await self._action(tx, commands)

"""Tellings: answers in chat that several domains put together, as panels are on pages.

One domain answers the command and asks here what the others have to tell; a domain that is not
there leaves no hole. Each contribution is set-based: one text or None per ask, in order.
"""

from collections.abc import Awaitable, Callable, Sequence

from o2o.infra.database import Tx
from o2o.wechat.chat.asks import Ask

Tell = Callable[[Tx, Sequence[Ask]], Awaitable[Sequence[str | None]]]


class Tellings:
    """Who has something to tell under which name. Filled at wiring time; one per process."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._tells: dict[str, list[Tell]] = {}

    def add(self, name: str, tell: Tell) -> None:
        """Contribute to an answer; earlier contributions come first."""
        self._tells.setdefault(name, []).append(tell)

    async def told(self, name: str, tx: Tx, asks: Sequence[Ask]) -> list[list[str]]:
        """Return what there is to tell to each ask, in the order of contributions."""
        texts: list[list[str]] = [[] for _ in asks]
        for tell in self._tells.get(name, ()):
            for told, text in zip(texts, await tell(tx, asks), strict=True):
                if text:
                    told.append(text)
        return texts

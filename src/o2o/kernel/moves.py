"""Status moves as data: the one place that says which status may follow which."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from o2o.kernel.errors import Conflict

S = TypeVar("S", bound=StrEnum)


class MoveNotAllowed(Conflict):
    """The thing is in a status from which it cannot go there."""

    code = "status.move_not_allowed"


class Moves(Generic[S]):
    """A table of legal moves. Every status must be named, as a source or as final."""

    def __init__(self, table: Mapping[S, Iterable[S]], *, final: Iterable[S]) -> None:
        """Check the table: no unknown status, no way out of a final one."""
        self._table = {source: frozenset(targets) for source, targets in table.items()}
        self._final = frozenset(final)
        statuses = set(type(next(iter(self._table))))
        named = set(self._table) | self._final
        if named != statuses or self._final & set(self._table):
            msg = f"the table of moves does not cover exactly {sorted(statuses)}"
            raise ValueError(msg)

    def check(self, source: S, target: S) -> None:
        """Raise MoveNotAllowed unless the table knows the move."""
        if target not in self._table.get(source, frozenset()):
            raise MoveNotAllowed(source=source.value, target=target.value)

    def sources_of(self, target: S) -> frozenset[S]:
        """Return the statuses from which `target` may be reached, for conditional updates."""
        return frozenset(s for s, targets in self._table.items() if target in targets)

"""Rows checked one by one: what a brand knows, and the reading of cells with their faults."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from o2o.membership.imports.cells import date_cell, plain_cell, plain_row
from o2o.membership.imports.faults import CellWrong, Fault, shortened
from o2o.membership.imports.headers import folded

T = TypeVar("T")
# Days, amounts, tiers and stores come again and again.
REMEMBERED = 8_192


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a row may refer to. Names and codes are folded; stores only those of the uploader."""

    tiers: Mapping[str, UUID]
    lowest_tier_id: UUID
    stores: Mapping[str, UUID]
    # The brand's other stores, so that the fault can be told apart.
    other_stores: frozenset[str]
    default_store_id: UUID | None
    today: date


class QuickRow:
    """Reads rows that want no closer look; what it cannot read, a `RowReader` says why."""

    def __init__(
        self, places: Sequence[int | None], readings: Sequence[Callable[[str], object]]
    ) -> None:
        """Know where columns stand."""
        # An empty cell behind the others stands for the columns that are not there.
        self._plan = [
            (-1 if place is None else place, reading)
            for place, reading in zip(places, readings, strict=True)
        ]

    def read(self, cells: Sequence[str]) -> list[Any] | None:
        """Return the values of a row, None of a row with a fault or beyond the ordinary."""
        plain = plain_row(cells)
        if plain is None:
            return None
        plain.append("")
        try:
            return [reading(plain[place]) for place, reading in self._plan]
        except (CellWrong, IndexError):
            return None


def remembering(reading: Callable[[str], T]) -> Callable[[str], T]:
    """Return a reading that remembers what it read last: for columns of a few values."""
    return lru_cache(maxsize=REMEMBERED)(reading)


class RowReader:
    """Reads the cells of one row; faults are gathered, so that a row tells all of them."""

    def __init__(self, places: Mapping[str, int], known: Known, *, head_width: int) -> None:
        """Know where columns stand."""
        self.known = known
        self._places = places
        self._head_width = head_width
        self._width = 1 + max(places.values(), default=0)
        self.faults: list[Fault] = []
        self._line = 0
        self._cells: Sequence[str] = ()
        self._is_plain = False

    def start(self, line: int, cells: Sequence[str]) -> None:
        """Go to the next row."""
        self.faults = []
        self._line = line
        plain = plain_row(cells)
        self._is_plain = plain is not None
        row = cells if plain is None else plain
        self._cells = row if len(row) >= self._width else [*row, *[""] * self._width]

    def is_too_wide(self, cells: Sequence[str]) -> bool:
        """Whether there is something beyond the last column of the head."""
        return len(cells) > self._head_width and any(cells[self._head_width :])

    def quick(self, readings: Mapping[str, Callable[[str], object]]) -> "QuickRow":
        """Return what reads rows without a fault by these; absent columns are empty cells."""
        places = [self._places.get(field) for field in readings]
        return QuickRow(places, list(readings.values()))

    def has(self, field: str) -> bool:
        """Whether the file has the column."""
        return field in self._places

    def read(self, field: str, reading: Callable[[str], T], default: T) -> T:
        """Return a cell's value, or the default with a fault noted."""
        place = self._places.get(field)
        if place is None:
            return default
        cell = self._cells[place]
        try:
            return reading(cell if self._is_plain else plain_cell(cell))
        except CellWrong as wrong:
            self.faults.append(Fault(self._line, field, wrong.code, shortened(cell), wrong.detail))
            return default

    def note(self, field: str, code: str, *, value: str = "", detail: object = "") -> None:
        """Note a fault that more than one cell make."""
        self.faults.append(Fault(self._line, field, code, shortened(value), str(detail)))

    def day(self, text: str) -> date | None:
        """Return a day up to today. Raises CellWrong."""
        return date_cell(text, today=self.known.today)

    def tier(self, text: str) -> UUID:
        """Return the tier of a code or name, the lowest of an empty cell. Raises CellWrong."""
        if not text:
            return self.known.lowest_tier_id
        found = self.known.tiers.get(folded(text))
        if found is None:
            raise CellWrong("tier_unknown")
        return found

    def store(self, text: str) -> UUID:
        """Return the store of a code or name, or the file's. Raises CellWrong."""
        if not text:
            if self.known.default_store_id is None:
                raise CellWrong("store_missing")
            return self.known.default_store_id
        key = folded(text)
        found = self.known.stores.get(key)
        if found is None:
            raise CellWrong(
                "store_not_yours" if key in self.known.other_stores else "store_unknown"
            )
        return found

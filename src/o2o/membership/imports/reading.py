"""Reading a file from its first row to its last, in batches of rows and faults."""

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, cast

import msgspec

from o2o.crm.statuses import ImportKind
from o2o.membership.errors_imports import ImportFileBroken, ImportFileEmpty, ImportTooManyRows
from o2o.membership.imports import cards, purchases
from o2o.membership.imports.cards import CardRow, card_check
from o2o.membership.imports.csv_table import CSVTable
from o2o.membership.imports.faults import Fault, shortened
from o2o.membership.imports.headers import Head, Names, read_head
from o2o.membership.imports.purchases import PurchaseRow, purchase_check, torn_bill
from o2o.membership.imports.rows import Known, RowReader
from o2o.membership.imports.xlsx_table import MAGIC, XLSXTable

_Check = Callable[[int, Sequence[str]], CardRow | PurchaseRow | list[Fault]]

ROWS_MAX = 2_000_000
ROWS_AT_ONCE = 5_000
# The binary workbooks of before 2007 (compound files).
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_CHECKS: dict[ImportKind, Callable[[RowReader], _Check]] = {
    ImportKind.CARDS: card_check,
    ImportKind.PURCHASES: purchase_check,
}
_WANTED = {ImportKind.CARDS: cards.WANTED, ImportKind.PURCHASES: purchases.WANTED}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that can be read, of so many that there were, and what is wrong with the others."""

    rows: Sequence[CardRow | PurchaseRow]
    row_count: int
    faults: Sequence[Fault]
    # Line and number of bills of which a row cannot be read.
    torn: Sequence[tuple[int, str]]

    @property
    def cards(self) -> Sequence[CardRow]:
        """The rows of a file of cards."""
        return cast("Sequence[CardRow]", self.rows)

    @property
    def purchases(self) -> Sequence[PurchaseRow]:
        """The rows of a file of bills."""
        return cast("Sequence[PurchaseRow]", self.rows)


class Reading:
    """One pass over a table whose head is understood."""

    def __init__(
        self, table: CSVTable | XLSXTable, *, kind: ImportKind, known: Known, names: Names
    ) -> None:
        """Read the head. Raises ImportFileEmpty and what is wrong with a head."""
        self._rows = table.rows()
        self._is_of_bills = kind is ImportKind.PURCHASES
        head = self._find_head(names, kind)
        self._reader = RowReader(head.places, known, head_width=head.width)
        self._check = _CHECKS[kind](self._reader)
        self.form: dict[str, Any] = {
            "encoding": table.form,
            "separator": table.separator,
            "ignored": head.ignored,
        }

    def _find_head(self, names: Names, kind: ImportKind) -> Head:
        first = next(self._rows, None)
        if first is None:
            raise ImportFileEmpty
        line, cells = first
        if cells is None:
            raise ImportFileBroken(line=line)
        return read_head(cells, names=names, wanted=_WANTED[kind])

    def batches(self) -> Iterator[Batch]:
        """Yield all rows. Raises ImportFileEmpty, ImportTooManyRows and what breaks a file."""
        total = 0
        while batch := self._next():
            total += batch.row_count
            if total > ROWS_MAX:
                raise ImportTooManyRows(rows_max=ROWS_MAX)
            yield batch
        if total == 0:
            raise ImportFileEmpty

    def _next(self) -> Batch | None:
        good: list[CardRow | PurchaseRow] = []
        faults: list[Fault] = []
        torn: list[tuple[int, str]] = []
        count = 0
        for line, cells in self._rows:
            count += 1
            found = self._judge(line, cells)
            if isinstance(found, list):
                faults += found
                if self._is_of_bills and (one := torn_bill(self._reader, line)):
                    torn.append(one)
            else:
                good.append(found)
            if count == ROWS_AT_ONCE:
                break
        return Batch(rows=good, row_count=count, faults=faults, torn=torn) if count else None

    def _judge(self, line: int, cells: Sequence[str] | None) -> CardRow | PurchaseRow | list[Fault]:
        if cells is None:
            self._reader.start(line, ())
            return [Fault(line, "", "quotes_wrong")]
        if self._reader.is_too_wide(cells):
            self._reader.start(line, cells)
            return [Fault(line, "", "row_too_wide", shortened(" ".join(cells)))]
        return self._check(line, cells)


def open_reading(
    file: IO[bytes], *, kind: ImportKind, known: Known, names: dict[ImportKind, Names]
) -> Reading:
    """Find out what a file is and read its head. Raises what is wrong with it as a whole."""
    start = file.read(4)
    file.seek(0)
    if start == OLD_WORKBOOK:
        raise ImportFileBroken
    table: CSVTable | XLSXTable = (
        XLSXTable(file) if start == MAGIC else CSVTable(file, names=names[kind])
    )
    return Reading(table, kind=kind, known=known, names=names[kind])


def names_of(tables: Sequence[dict[str, Any]]) -> dict[ImportKind, Names]:
    """Return what columns are called, from the copy of each language."""
    return {
        kind: Names(table.get("columns", {}).get(kind.value, {}) for table in tables)
        for kind in ImportKind
    }

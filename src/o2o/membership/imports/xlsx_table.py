"""A table in a workbook: the first sheet, streamed row by row, cells as the text one sees."""

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import IO

from o2o.membership.errors_imports import ImportFileBroken
from o2o.membership.imports.csv_table import Row
from o2o.membership.imports.xlsx_parts import (
    Attributes,
    Listener,
    Parts,
    as_mapping,
    first_sheet,
    parse,
    parse_whole,
)
from o2o.membership.imports.xlsx_texts import CELL_CHARS_MAX, SharedTexts

MAGIC = b"PK\x03\x04"
COLUMNS_MAX = 256
STYLES = "xl/styles.xml"
# Number formats that show a date: those that are built in (ECMA-376 18.8.30, with the East Asian
# ones), and others that name a year or a day outside of quotes and brackets.
DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = frozenset([*_ALPHABET, *(a + b for a in _ALPHABET for b in _ALPHABET)])
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
# What a number keeps; of longer ones the digits behind were lost before they came here.
_WHOLE_MAX = 10**15
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 - cells have no zone


class XLSXTable:
    """A workbook as rows; the first that is not empty is the head."""

    encoding = "xlsx"
    separator = ""

    def __init__(self, file: IO[bytes]) -> None:
        """Open it. Raises ImportFileBroken, ImportUnpacksTooLarge."""
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ImportFileBroken from error
        self._file = file
        self._parts = Parts(self._archive)
        self._sheet, self._is_1904 = first_sheet(self._parts)
        self._formats = _read_formats(self._parts)

    @property
    def form(self) -> str:
        """Say how the file was understood."""
        return "XLSX"

    @property
    def bytes_read(self) -> int:
        """Return how far into the file reading has come."""
        return self._file.tell()

    def rows(self) -> Iterator[Row]:
        """Yield rows that are not empty. Raises ImportFileBroken, ImportUnpacksTooLarge."""
        texts = SharedTexts(self._parts)
        try:
            sheet = _Sheet(texts, formats=self._formats, is_1904=self._is_1904)
            for _ in parse(self._parts.pieces(self._sheet), sheet):
                yield from sheet.taken()
            yield from sheet.taken()
        finally:
            texts.close()


class _Sheet(Listener):
    """Gathers the rows of a sheet as its elements go by."""

    def __init__(self, texts: SharedTexts, *, formats: list[str], is_1904: bool) -> None:
        self._texts = texts
        self._formats = formats
        self._is_1904 = is_1904
        self._rows: list[Row] = []
        self._line = 0
        self._cells: list[str] = []
        self._column = 0
        self._kind = "n"
        self._style = "0"
        self._raw: list[str] = []
        self._is_value = False
        # None where the cell is no formula; inside of one what is gathered.
        self._formula: list[str] | None = None
        self._is_formula = False

    def taken(self) -> list[Row]:
        """Return the rows that are complete, once."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: list[str]) -> None:
        """Note where a row, a cell or a value begins."""
        if name in {"v", "t"}:
            self._is_value = True
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            number = as_mapping(attributes).get("r", "")
            self._line = int(number) if _WHOLE.fullmatch(number) else self._line + 1
            self._cells = []
        elif name == "f":
            self._is_formula = True
            self._formula = []
        elif name == "rPh":
            self._is_value = False

    def _begin_cell(self, attributes: list[str]) -> None:
        self._kind = "n"
        self._style = "0"
        self._raw = []
        self._formula = None
        column = len(self._cells)
        for place in range(0, len(attributes), 2):
            name, value = attributes[place], attributes[place + 1]
            if name == "t":
                self._kind = value
            elif name == "s":
                self._style = value
            elif name == "r":
                column = _column(value)
        if column >= COLUMNS_MAX:
            raise ImportFileBroken(line=self._line)
        self._column = column

    def text(self, text: str) -> None:
        """Gather a value, or how it is computed."""
        if self._is_value:
            self._raw.append(text)
        elif self._is_formula and self._formula is not None:
            self._formula.append(text)

    def end(self, name: str) -> None:
        """Keep a value, a cell or a row."""
        if name in {"v", "t"}:
            self._is_value = False
        elif name == "f":
            self._is_formula = False
        elif name == "c":
            if self._raw:
                self._keep(self._text("".join(self._raw)[:CELL_CHARS_MAX]))
            elif self._formula is not None:
                # Never computed by the program that wrote it: shown as it is, and not taken for 0.
                self._keep(f"={''.join(self._formula)}"[:CELL_CHARS_MAX])
        elif name == "row" and any(self._cells):
            self._rows.append((self._line, self._cells))

    def _keep(self, text: str) -> None:
        missing = self._column - len(self._cells)
        # Cells of a row stand in order; one that goes back is not a table's.
        if missing < 0:
            raise ImportFileBroken(line=self._line)
        if missing:
            self._cells += [""] * missing
        self._cells.append(text)

    def _text(self, raw: str) -> str:
        if self._kind != "s":
            return self._shown(raw)
        try:
            return self._texts.get(int(raw))
        except (ValueError, IndexError) as error:
            raise ImportFileBroken(line=self._line) from error

    def _shown(self, raw: str) -> str:
        if self._kind == "n":
            style = int(self._style) if _WHOLE.fullmatch(self._style) else -1
            shape = self._formats[style] if 0 <= style < len(self._formats) else ""
            return _number(raw, shape, is_1904=self._is_1904)
        if self._kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        return raw


@cache
def _of_letters(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _column(place: str) -> int:
    """Return the column of a place such as `AB12`; without letters there is none of that number."""
    letters = place.rstrip("0123456789")
    return _of_letters(letters) if letters in _LETTERS else COLUMNS_MAX


def _number(raw: str, shape: str, *, is_1904: bool) -> str:
    """Show a number as its format does where that changes what it says: dates, leading zeros."""
    if shape == "date":
        return _date(raw, is_1904=is_1904)
    if _WHOLE.fullmatch(raw) is None:
        try:
            # Fifteen digits, as the program shows them: 100.09999999999999 is 100.1.
            short = format(float(raw), ".15g")
        except (ValueError, OverflowError):
            return raw
        if abs(float(short)) >= _WHOLE_MAX:
            # Left as it is shortened, so that whoever reads a card's number refuses it.
            return short.upper()
        raw = str(int(float(short))) if "e" in short and float(short).is_integer() else short
    return raw.zfill(len(shape)) if shape else raw


def _date(raw: str, *, is_1904: bool) -> str:
    try:
        moment = _EPOCHS[is_1904] + timedelta(days=float(raw))
    except (ValueError, OverflowError):
        return raw
    rounded = moment + timedelta(milliseconds=500)
    return f"{rounded:%Y-%m-%d %H:%M:%S}" if float(raw) % 1 else f"{rounded:%Y-%m-%d}"


def _read_formats(parts: Parts) -> list[str]:
    """Return what each cell style does to numbers: `date`, zeros to fill up with, or nothing."""
    if not parts.has(STYLES):
        return []
    styles = _Styles()
    parse_whole(parts.pieces(STYLES), styles)
    own = {one.get("numFmtId", ""): one.get("formatCode", "") for _, one in styles.own.found}
    return [_shape(number, own.get(number)) for number in styles.numbers]


def _shape(number: str, code: str | None) -> str:
    if code is None:
        return "date" if number.isdecimal() and int(number) in DATE_FORMATS else ""
    plain = _QUOTED.sub("", code).lower()
    if set(plain) == {"0"} and 2 <= len(plain) <= 32:
        return plain
    return "date" if ("y" in plain or "d" in plain) and "general" not in plain else ""


class _Styles(Listener):
    """Collects number formats and, in their order, the formats of cell styles (cellXfs)."""

    def __init__(self) -> None:
        self.own = Attributes("numFmt")
        self.numbers: list[str] = []
        self._is_inside = False

    def start(self, name: str, attributes: list[str]) -> None:
        """Keep formats."""
        self.own.start(name, attributes)
        if name == "cellXfs":
            self._is_inside = True
        elif name == "xf" and self._is_inside and len(self.numbers) < 100_000:
            self.numbers.append(as_mapping(attributes).get("numFmtId", "0"))

    def end(self, name: str) -> None:
        """Leave the styles."""
        if name == "cellXfs":
            self._is_inside = False

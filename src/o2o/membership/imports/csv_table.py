"""A table in a text file: separator found out, rows streamed with the line they begin on."""

import csv
import io
from collections.abc import Iterator
from typing import IO

from o2o.membership.errors_imports import ImportFileBroken
from o2o.membership.imports.encodings import find_encoding
from o2o.membership.imports.headers import Names

SEPARATORS = (",", ";", "\t")
HEAD_CHARS_MAX = 65_536
CELL_CHARS_MAX = 65_536
LINE_CHARS_MAX = 1 << 20

# A row is (line, cells); cells are None where the quotes of a line contradict each other.
Row = tuple[int, list[str] | None]


class CSVTable:
    """A text file as rows; the first that is not empty is the head."""

    def __init__(self, file: IO[bytes], *, names: Names) -> None:
        """Find encoding and separator. Raises ImportEncodingUnknown, ImportFileBroken."""
        self._file = file
        self.encoding = find_encoding(file)
        self.separator = self._find_separator(names)

    @property
    def form(self) -> str:
        """Say how the file was understood."""
        return self.encoding.upper().removesuffix("-SIG")

    @property
    def bytes_read(self) -> int:
        """Return how far into the file reading has come."""
        return self._file.tell()

    def rows(self) -> Iterator[Row]:
        """Yield rows that are not empty, from the first line. Raises ImportFileBroken."""
        # A quote that never ends would otherwise swallow the rest of the file into one cell.
        csv.field_size_limit(CELL_CHARS_MAX)
        reader = csv.reader(self._text(), delimiter=self.separator, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "field larger" in str(error) or "end of data" in str(error):
                    raise ImportFileBroken(line=line) from error
                yield line, None
                continue
            if any(cells):
                yield line, cells

    def _text(self) -> Iterator[str]:
        self._file.seek(0)
        wrapper = io.TextIOWrapper(self._file, encoding=self.encoding, newline="")
        try:
            line = 0
            while text := wrapper.readline(LINE_CHARS_MAX):
                line += 1
                if len(text) == LINE_CHARS_MAX:
                    raise ImportFileBroken(line=line)
                yield text
        finally:
            # The file is the caller's and outlives the wrapper, unless we were forgotten half read.
            if not self._file.closed:
                wrapper.detach()

    def _find_separator(self, names: Names) -> str:
        head = "".join(_take(self._text(), HEAD_CHARS_MAX))
        counts = {separator: _known_names(head, separator, names) for separator in SEPARATORS}
        return max(SEPARATORS, key=lambda separator: counts[separator])


def _take(lines: Iterator[str], chars_max: int) -> Iterator[str]:
    """Yield the first lines up to the first that has content, quoted newlines included."""
    taken = 0
    for line in lines:
        taken += len(line)
        yield line[:chars_max]
        if (line.strip() and line.count('"') % 2 == 0) or taken >= chars_max:
            return


def _known_names(head: str, separator: str, names: Names) -> int:
    try:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
        return max((names.count(cells) for cells in rows), default=0)
    except csv.Error:
        return 0

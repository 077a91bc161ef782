"""The texts that a workbook's cells share, kept on disk: a million of them must not fill memory."""

import mmap
import tempfile
from array import array

from o2o.membership.imports.xlsx_parts import Listener, Parts, parse_whole

PART = "xl/sharedStrings.xml"
# No cell may be longer (Excel's own limit), so no shared text needs to be.
CELL_CHARS_MAX = 32_767
GATHERED_BYTES = 1 << 18
OFTEN = 10_000


class SharedTexts(Listener):
    """Texts by number."""

    def __init__(self, parts: Parts) -> None:
        """Read them all. Raises ImportFileBroken, ImportUnpacksTooLarge."""
        self._ends = array("Q")
        self._end = 0
        self._gathered = bytearray()
        self._current: list[str] = []
        self._is_text = False
        self._phonetic = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._texts: mmap.mmap | None = None
        if parts.has(PART):
            parse_whole(parts.pieces(PART), self)
        self._file.write(self._gathered)
        self._file.flush()
        self._often: list[str] = []
        if self._end:
            self._texts = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            self._often = [self.get(number) for number in range(min(OFTEN, len(self._ends)))]

    def start(self, name: str, attributes: list[str]) -> None:  # noqa: ARG002 - as told
        """Note where text begins; reading aids (rPh) are not part of it."""
        if name == "si":
            self._current.clear()
        elif name == "rPh":
            self._phonetic += 1
        self._is_text = name == "t" and not self._phonetic

    def end(self, name: str) -> None:
        """Keep a finished text."""
        self._is_text = False
        if name == "rPh":
            self._phonetic -= 1
        elif name == "si":
            encoded = "".join(self._current)[:CELL_CHARS_MAX].encode()
            self._gathered += encoded
            self._end += len(encoded)
            self._ends.append(self._end)
            if len(self._gathered) > GATHERED_BYTES:
                self._file.write(self._gathered)
                self._gathered.clear()

    def text(self, text: str) -> None:
        """Gather characters."""
        if self._is_text:
            self._current.append(text)

    def get(self, number: int) -> str:
        """Return a text. Raises IndexError for a number that has none."""
        if number < 0:
            raise IndexError(number)
        # The first ones are what columns repeat: names of stores and tiers, round amounts.
        if number < len(self._often):
            return self._often[number]
        end = self._ends[number]
        start = self._ends[number - 1] if number else 0
        return self._texts[start:end].decode() if self._texts and end > start else ""

    def close(self) -> None:
        """Let the file go."""
        if self._texts is not None:
            self._texts.close()
        self._file.close()

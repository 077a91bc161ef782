"""The parts of a workbook (ECMA-376): unpacked piece by piece within limits, parsed by expat.

Expat opens no external entity unless told how, and a document type ends the reading.
"""

import lzma
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from o2o.membership.errors_imports import ImportFileBroken, ImportUnpacksTooLarge

PIECE_BYTES = 1 << 16
UNPACKED_BYTES_MAX = 1_000_000_000
ENTRIES_MAX = 1_000
# Sheets pack to a tenth or, full of repetitions, to a fiftieth.
RATIO_MAX = 250
RATIO_FROM_BYTES = 10_000_000
RELATIONS_BYTES_MAX = 1_000_000


class Parts:
    """The archive; what comes out of it is counted, whatever its directory says."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Check what the directory says. Raises ImportUnpacksTooLarge, ImportFileBroken."""
        check_directory(archive)
        self._archive = archive
        self._names = {info.filename.lstrip("/").lower(): info for info in archive.infolist()}
        self._unpacked = 0

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return name.lstrip("/").lower() in self._names

    def size(self, name: str) -> int:
        """Return the size of a part as the directory tells it."""
        return self._names[name.lstrip("/").lower()].file_size

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a part. Raises ImportUnpacksTooLarge, ImportFileBroken."""
        info = self._names.get(name.lstrip("/").lower())
        if info is None or info.flag_bits & 0x1:
            raise ImportFileBroken
        try:
            with self._archive.open(info) as part:
                while piece := part.read(PIECE_BYTES):
                    self._count(len(piece))
                    yield piece
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            raise ImportFileBroken from error
        except (zlib.error, lzma.LZMAError) as error:
            raise ImportFileBroken from error

    def _count(self, unpacked: int) -> None:
        self._unpacked += unpacked
        if self._unpacked > UNPACKED_BYTES_MAX:
            raise ImportUnpacksTooLarge(bytes_max=UNPACKED_BYTES_MAX)


def check_directory(archive: zipfile.ZipFile) -> None:
    """Raise ImportUnpacksTooLarge for an archive that owns up to being a bomb."""
    entries = archive.infolist()
    if len(entries) > ENTRIES_MAX:
        raise ImportFileBroken
    if sum(info.file_size for info in entries) > UNPACKED_BYTES_MAX:
        raise ImportUnpacksTooLarge(bytes_max=UNPACKED_BYTES_MAX)
    for info in entries:
        is_large = info.file_size > RATIO_FROM_BYTES
        if is_large and info.file_size > RATIO_MAX * max(info.compress_size, 1):
            raise ImportUnpacksTooLarge(bytes_max=UNPACKED_BYTES_MAX)


class Listener:
    """What happens at the elements of a part; attributes come as name, value, name, value …"""

    def start(self, name: str, attributes: list[str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Characters inside."""


def parse(pieces: Iterator[bytes], listener: Listener) -> Iterator[None]:
    """Feed a part to a listener, pausing after each piece. Raises ImportFileBroken."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = _refuse

    def begin_first(name: str, attributes: list[str]) -> None:
        # Nearly every program writes the main namespace without a prefix: only where one does not,
        # each name is cut; the calls of these three are most of the time that reading takes.
        if ":" in name:
            parser.StartElementHandler = _without_prefix(listener.start)
            parser.EndElementHandler = _without_prefix(listener.end)
        else:
            parser.StartElementHandler = listener.start
            parser.EndElementHandler = listener.end
        parser.StartElementHandler(name, attributes)

    parser.StartElementHandler = begin_first
    parser.CharacterDataHandler = listener.text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ImportFileBroken from error


def parse_whole(pieces: Iterator[bytes], listener: Listener) -> None:
    """Feed a small part to a listener."""
    for _ in parse(pieces, listener):
        pass


def _refuse(*_: object) -> None:
    raise ImportFileBroken


def _without_prefix(tell: Callable[..., None]) -> Callable[..., None]:
    def told(name: str, *rest: Any) -> None:
        tell(name.rpartition(":")[2], *rest)

    return told


def as_mapping(attributes: list[str]) -> dict[str, str]:
    """Return attributes by name, without prefixes."""
    names = (name.rpartition(":")[2] for name in attributes[::2])
    return dict(zip(names, attributes[1::2], strict=True))


class Attributes(Listener):
    """Collects the attributes of certain elements, in their order."""

    def __init__(self, *names: str) -> None:
        """Collect these."""
        self.found: list[tuple[str, dict[str, str]]] = []
        self._names = names

    def start(self, name: str, attributes: list[str]) -> None:
        """Keep what was asked for."""
        if name in self._names and len(self.found) < 100_000:
            self.found.append((name, as_mapping(attributes)))


def first_sheet(parts: Parts) -> tuple[str, bool]:
    """Return the part of the first visible sheet, and whether dates count from 1904."""
    book = Attributes("workbookPr", "sheet")
    parse_whole(parts.pieces("xl/workbook.xml"), book)
    is_1904 = any(
        name == "workbookPr" and one.get("date1904") in {"1", "true"} for name, one in book.found
    )
    relations = Attributes("Relationship")
    parse_whole(parts.pieces("xl/_rels/workbook.xml.rels"), relations)
    targets = {one.get("Id", ""): one.get("Target", "") for _, one in relations.found}
    sheets = [one for name, one in book.found if name == "sheet"]
    visible = [one for one in sheets if one.get("state", "visible") == "visible"]
    for sheet in visible or sheets:
        target = targets.get(sheet.get("id", ""), "")
        part = target if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        if target and parts.has(part):
            return part, is_1904
    raise ImportFileBroken

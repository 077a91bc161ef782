"""An uploaded file before it is kept: its size, its hash, and whether it is a bomb."""

import hashlib
import zipfile
from collections.abc import Iterator
from typing import IO

import msgspec

from o2o.membership.errors_imports import (
    ImportFileBroken,
    ImportFileEmpty,
    ImportFileTooLarge,
)
from o2o.membership.imports.xlsx_parts import check_directory
from o2o.membership.imports.xlsx_table import MAGIC

PIECE_BYTES = 1 << 20


class Examined(msgspec.Struct, frozen=True):
    """What is known of a file without reading its rows."""

    file_bytes: int
    sha256: bytes


def examine(file: IO[bytes], *, bytes_max: int) -> Examined:
    """Measure and hash a file. Raises ImportFileTooLarge, ImportFileEmpty, ImportFileBroken,
    ImportUnpacksTooLarge.
    """
    digest = hashlib.sha256()
    size = 0
    for piece in pieces_of(file):
        digest.update(piece)
        size += len(piece)
        if size > bytes_max:
            raise ImportFileTooLarge(bytes_max=bytes_max)
    if size == 0:
        raise ImportFileEmpty
    file.seek(0)
    if file.read(len(MAGIC)) == MAGIC:
        file.seek(0)
        try:
            check_directory(zipfile.ZipFile(file))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ImportFileBroken from error
    return Examined(size, digest.digest())


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file from its beginning, a megabyte at a time."""
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        yield piece

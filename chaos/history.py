"""The history: what clients sent and heard, one JSON line each, written as it happens."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

# invoke: it is sent · ok: it was done · fail: it was refused and not done · info: nobody knows.
Type = Literal["invoke", "ok", "fail", "info"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of one operation, by the clock of the client."""

    process: str
    type: Type
    op: str
    args: dict[str, Any]
    result: Any = None
    monotonic_ns: int


class History:
    """Appends lines; several clients and threads may write at once."""

    def __init__(self, file: Path) -> None:
        """Write to a new file."""
        self.file = file
        self._opened = file.open("wb")
        self._lock = threading.Lock()

    def note(
        self, process: str, type_: Type, op: str, *, args: dict[str, Any], result: Any = None
    ) -> None:
        """Write a line down now."""
        with self._lock:
            line = Line(
                process=process,
                type=type_,
                op=op,
                args=args,
                result=result,
                monotonic_ns=time.monotonic_ns(),
            )
            self._opened.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Nothing more will be written."""
        self._opened.close()


def read_history(file: Path) -> Iterator[Line]:
    """Return the lines in the order of writing, which is that of the clock."""
    with file.open("rb") as opened:
        for line in opened:
            yield msgspec.json.decode(line, type=Line)

"""Large pages for what a worker was built of.

Serving a request touches a little of everything: code, templates, tables, statements. In pages of
4 KiB most of that has to be looked up anew each time, twice over inside a virtual machine; in pages
of 2 MiB a callback took 7 % less processor time.
"""

import re
import sys
from pathlib import Path

from o2o.infra.logging import get_logger

log = get_logger(__name__)

LARGE_PAGE = 2 << 20
# Linux 6.1 and newer, see madvise(2); other kernels refuse it, and everything stays as it was.
MADV_COLLAPSE = 25
# What the machine's administrator chose, in brackets; the advice would pass over a `never`.
CHOICE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
# A piece that is mostly empty would be filled up.
FULL_PERCENT_MIN = 90
SMAPS = Path("/proc/self/smaps")
# An anonymous region that can be written to, or the heap; then its sizes in KiB.
_REGION = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0 *(?:\[heap\])?\nSize: +(\d+) kB\n"
    r"(?:\w+: +\d+ kB\n)*?Rss: +(\d+) kB$",
    re.MULTILINE,
)


def use_large_pages() -> None:
    """Put this process's memory on large pages where the system can and may.

    Call it once all is built. What was shared with the parent of a fork until then becomes this
    process's own.
    """
    if sys.platform != "linux":
        return
    try:
        # Some Pythons are built without it.
        import ctypes  # noqa: PLC0415 - see above

        if "[never]" in CHOICE.read_text(encoding="ascii"):
            return
        smaps = SMAPS.read_text(encoding="utf-8", errors="replace")
        madvise = ctypes.CDLL(None).madvise
    except (ImportError, OSError, AttributeError):
        return
    taken = [
        end - start
        for start, end in full_pieces(smaps)
        # Refused or not: it changes the speed alone.
        if madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_COLLAPSE) == 0
    ]
    log.debug("worker.large_pages", mebibytes=sum(taken) >> 20)


def full_pieces(smaps: str) -> list[tuple[int, int]]:
    """Return the parts (from, to) of the well-filled regions that large pages can cover. Pure."""
    pieces: list[tuple[int, int]] = []
    for found in _REGION.finditer(smaps):
        size_kib, rss_kib = int(found[3]), int(found[4])
        start = -(-int(found[1], 16) // LARGE_PAGE) * LARGE_PAGE
        end = int(found[2], 16) // LARGE_PAGE * LARGE_PAGE
        if end > start and 100 * rss_kib >= FULL_PERCENT_MIN * size_kib:
            pieces.append((start, end))
    return pieces

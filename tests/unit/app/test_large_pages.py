"""Which of a process's memory is put on large pages, and that it survives that."""

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from o2o.app import large_pages
from o2o.app.large_pages import LARGE_PAGE, MADV_COLLAPSE, full_pieces, use_large_pages

REGION = """\
{start:x}-{end:x} {rights} 00000000 00:00 0 {name}
Size:{size:>15} kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:{rss:>16} kB
Pss:{rss:>16} kB
AnonHugePages:         0 kB
VmFlags: rd wr mr mw me ac sd
"""
BASE = 0x7F0000000000


def region(
    start: int, end: int, *, rss_percent: int = 100, rights: str = "rw-p", name: str = ""
) -> str:
    size = (end - start) // 1024
    rss = size * rss_percent // 100
    return REGION.format(start=start, end=end, rights=rights, name=name, size=size, rss=rss)


def test_whole_pages_inside_well_filled_regions_are_taken() -> None:
    smaps = "".join(
        [
            region(BASE + 4096, BASE + 3 * LARGE_PAGE + 4096),
            region(BASE + 10 * LARGE_PAGE, BASE + 11 * LARGE_PAGE, rss_percent=91, name="[heap]"),
            # Too small to hold one, not full, not ours to write, a file, a stack.
            region(BASE + 20 * LARGE_PAGE + 4096, BASE + 21 * LARGE_PAGE),
            region(BASE + 30 * LARGE_PAGE, BASE + 34 * LARGE_PAGE, rss_percent=89),
            region(BASE + 40 * LARGE_PAGE, BASE + 44 * LARGE_PAGE, rights="r--p"),
            region(BASE + 50 * LARGE_PAGE, BASE + 54 * LARGE_PAGE, name="/usr/lib/libc.so.6"),
            region(BASE + 60 * LARGE_PAGE, BASE + 64 * LARGE_PAGE, name="[stack]"),
        ]
    )
    assert full_pieces(smaps) == [
        (BASE + LARGE_PAGE, BASE + 3 * LARGE_PAGE),
        (BASE + 10 * LARGE_PAGE, BASE + 11 * LARGE_PAGE),
    ]


def test_what_is_in_memory_stays_there() -> None:
    before = [bytes([number]) * LARGE_PAGE for number in range(8)]
    use_large_pages()
    assert [set(one) for one in before] == [{number} for number in range(8)]


def test_the_system_is_asked_for_each_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int | None, int, int]] = []

    def madvise(start: ctypes.c_void_p, size: ctypes.c_size_t, advice: int) -> int:
        asked.append((start.value, size.value, advice))
        return -1

    choice = tmp_path / "enabled"
    choice.write_text("always [madvise] never\n")
    monkeypatch.setattr(large_pages, "CHOICE", choice)
    smaps = tmp_path / "smaps"
    smaps.write_text(
        region(BASE, BASE + 2 * LARGE_PAGE) + region(BASE + 9 * LARGE_PAGE, BASE + 10 * LARGE_PAGE)
    )
    monkeypatch.setattr(large_pages, "SMAPS", smaps)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace(madvise=madvise))
    use_large_pages()
    assert asked == [
        (BASE, 2 * LARGE_PAGE, MADV_COLLAPSE),
        (BASE + 9 * LARGE_PAGE, LARGE_PAGE, MADV_COLLAPSE),
    ]
    # Where the administrator says never, or nobody tells what there is, nothing is asked.
    choice.write_text("always madvise [never]\n")
    use_large_pages()
    choice.write_text("[always] madvise never\n")
    monkeypatch.setattr(large_pages, "SMAPS", tmp_path / "absent")
    use_large_pages()
    assert len(asked) == 2


def test_a_python_without_foreign_functions_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    use_large_pages()

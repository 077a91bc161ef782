"""Results: what a run found, told at the terminal and appended to RESULTS.md with its command."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chaos.round import Verdict

FILE = Path(__file__).resolve().parent / "RESULTS.md"
SHOWN_MAX = 40


def tell_lines(verdict: Verdict) -> list[str]:
    """Tell a verdict: figures, faults, what is wrong."""
    lines = [f"{count:,} {name}" for name, count in verdict.figures.items()]
    lines += [f"{count} × {name}" for name, count in sorted(verdict.faults.items())]
    lines.append(f"{len(verdict.violations)} violations in {verdict.seconds:.0f} s")
    lines += [f"VIOLATION {fault}" for fault in verdict.violations[:SHOWN_MAX]]
    return lines


def append_result(verdict: Verdict, *, command: str) -> None:
    """Append raw numbers, the command, the day and the machine."""
    append_lines(tell_lines(verdict), command=command)


def append_lines(told: Sequence[str], *, command: str) -> None:
    """Append what a run found, the command, the day and the machine."""
    now = datetime.now(UTC)
    lines = [
        f"\n## {now:%Y-%m-%d %H:%M} UTC\n",
        f"`{command}` on {machine()}\n",
        *(f"- {line}" for line in told),
    ]
    with FILE.open("a") as file:
        file.write("\n".join(lines) + "\n")


def machine() -> str:
    """Describe the machine in a line: cores, memory, system."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )

"""The machine: which cores a program may use, how much memory it holds, what it is."""

import os
import platform
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

FILES_MIN = 10_000


def cores() -> list[int]:
    """Return the cores we may use."""
    return sorted(os.sched_getaffinity(0))


@contextmanager
def born_on(allowed: set[int]) -> Generator[None, None, None]:
    """Let programs started inside inherit these cores, whatever they start themselves."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, allowed: set[int]) -> None:
    """Put a process, its threads and all that it started on these cores."""
    for member in family(pid):
        for thread in _threads(member):
            try:
                os.sched_setaffinity(thread, allowed)
            except ProcessLookupError:
                continue


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for member in found:
        for thread in _threads(member):
            children = Path(f"/proc/{member}/task/{thread}/children")
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def _threads(pid: int) -> list[int]:
    try:
        return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []


def resident_mib(pid: int) -> float:
    """Return what a process holds in memory now, shared pages included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        # It has ended since it was listed.
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of all that it started and that still runs."""
    return sum(cpu_seconds(member) for member in family(pid))


def allow_many_files() -> None:
    """Raise our soft limit of open files: two thousand streams are as many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_MIN:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES_MIN, hard), hard))


def describe() -> dict[str, str | int]:
    """Say what machine this is."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": len(cores()),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def load_average() -> float:
    """Return how many programs wanted a core during the last minute."""
    return os.getloadavg()[0]

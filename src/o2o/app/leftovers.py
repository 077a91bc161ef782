"""Processes that a killed run left behind: found by a file that names them, and ended."""

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM

import psutil

END_SECONDS = 10.0
WATCH_SECONDS = 0.5


def remember(file: Path, pids: Sequence[int]) -> None:
    """Write down the processes of this run with their start times (pids are used again)."""
    known = [[pid, psutil.Process(pid).create_time()] for pid in pids if psutil.pid_exists(pid)]
    file.write_text(json.dumps(known))


def end_leftovers(file: Path) -> None:
    """End the processes of an earlier run, with their children, and wait for their ports."""
    if not file.exists():
        return
    found: list[psutil.Process] = []
    for pid, created in json.loads(file.read_text()):
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1.0 and pid != os.getpid():
                found += [*process.children(recursive=True), process]
        except psutil.NoSuchProcess:
            continue
    for process in found:
        _end(process)
    _, alive = psutil.wait_procs(found, timeout=END_SECONDS)
    for process in alive:
        process.kill()
    file.unlink(missing_ok=True)


def _end(process: psutil.Process) -> None:
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        return


def leave_with_parent() -> None:
    """End this process when its parent dies without saying so, so that no port stays taken."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), SIGTERM)
        time.sleep(END_SECONDS)
        os.kill(os.getpid(), SIGKILL)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()

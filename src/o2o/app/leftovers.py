"""Processes that a killed run left behind: found by a file that names them, and ended."""

import json
import os
import socket
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


class StillRunning(Exception):
    """The run that the file names was not killed: it is alive."""

    def __init__(self, pid: int) -> None:
        """Keep its process, for the sentence."""
        super().__init__(pid)
        self.pid = pid


def end_leftovers(file: Path) -> None:
    """End what a killed run left behind, with children, and wait for their ports.

    Raises StillRunning when its first process, the main one, is alive.
    """
    if not file.exists():
        return
    main = json.loads(file.read_text())[:1]
    if main and _is_alive(*main[0]) and main[0][0] != os.getpid():
        raise StillRunning(main[0][0])
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


def _is_alive(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - created) < 1.0
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _end(process: psutil.Process) -> None:
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        return


def is_port_free(port: int) -> bool:
    """Whether a server of ours could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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

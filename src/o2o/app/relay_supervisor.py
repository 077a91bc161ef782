"""The relay beside the web workers: kept running by a supervisor, forked with everything imported.

Importing takes seconds, which after a crash every message would wait for.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import uvloop

from o2o.app.relay_process import run_relay_process
from o2o.infra.embedded_postgres import is_embedded_running, start_embedded
from o2o.infra.logging import configure_logging, get_logger
from o2o.infra.settings import Settings, read_settings

log = get_logger(__name__)

STOP_SECONDS = 15.0
LOOK_SECONDS = 1.0
POLL_SECONDS = 0.05
STANDARD_STREAMS = 3
DESCRIPTORS_MAX = 65_536


class RelaySupervisor:
    """The supervisor as a child process, started again when it dies."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing yet. Its process has no threads, and no sockets when it is started."""
        self._settings = settings
        self._own_pid = os.getpid()
        self._pid: int | None = None

    def start(self) -> None:
        """Start the supervisor of the relay, and again if it dies; it ends with this process."""
        parent = self._own_pid
        self._pid = _fork(lambda: supervise_relay(self._settings, parent), leads=True)
        # A signal and no thread: web workers are forked from a process without threads.
        signal.signal(signal.SIGCHLD, self._revive)

    def _revive(self, *_: object) -> None:
        # Forked web workers inherit the handler, but the supervisor is no child of theirs.
        if os.getpid() != self._own_pid or self._pid is None or not _has_ended(self._pid):
            return
        log.warning("relay.supervisor_restarted")
        self._pid = _fork(lambda: _become_supervisor(self._own_pid), leads=True)

    def stop(self) -> None:
        """Let the relay finish what it holds."""
        pid, self._pid = self._pid, None
        if pid is not None:
            _end(pid)


def supervise_relay(settings: Settings, parent_pid: int) -> None:
    """Keep one relay running until told to stop or the parent is gone."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    relay: int | None = None
    while not stopping and os.getppid() == parent_pid:
        if relay is None or _has_ended(relay):
            relay = _fork(lambda: _run_relay(settings))
        _keep_database(settings)
        time.sleep(LOOK_SECONDS)
    if relay is not None:
        _end(relay)


def _run_relay(settings: Settings) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvloop.run(run_relay_process(settings, is_child=True))


def _become_supervisor(parent_pid: int) -> NoReturn:
    """Begin anew: the parent serves by now, and its sockets must not outlive it here."""
    os.closerange(STANDARD_STREAMS, DESCRIPTORS_MAX)
    os.execv(  # noqa: S606 - our own program
        sys.executable, [sys.executable, "-m", "o2o.app.relay_supervisor", str(parent_pid)]
    )


def _fork(run: Callable[[], None], *, leads: bool = False) -> int:
    """Run something in a child process, in a session of its own where it `leads`."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if leads:
            os.setsid()
        run()
        status = 0
    except BaseException:
        log.exception("relay.process_failed")
    finally:
        # Nothing of the parent's runs on here.
        os._exit(status)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _end(pid: int) -> None:
    """Ask a child to leave, and insist after a while."""
    gives_up_at = time.monotonic() + STOP_SECONDS
    number = signal.SIGTERM
    while not _has_ended(pid):
        if number == signal.SIGTERM or time.monotonic() > gives_up_at:
            os.kill(pid, number)
            number = signal.SIGKILL
        time.sleep(POLL_SECONDS)


def _keep_database(settings: Settings) -> None:
    """Start the embedded PostgreSQL again if it died; nothing to do for another server."""
    data_dir = settings.data_dir.resolve()
    if str(data_dir) not in settings.database_url or is_embedded_running(data_dir):
        return
    try:
        start_embedded(data_dir)
    except Exception as error:  # noqa: BLE001 - what is left of the old one may hold on for a moment
        log.warning("database.restart_failed", error=repr(error))
    else:
        log.warning("database.restarted")


if __name__ == "__main__":
    found = read_settings()
    configure_logging(as_json=found.log_json)
    supervise_relay(found, int(sys.argv[1]))

"""Serving: granian's workers in this process group, the relay in a process beside them."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import msgspec

from o2o.app.figures import share_figures
from o2o.app.runtime import check_runtime, open_runtime
from o2o.infra.database import DurabilityOff
from o2o.infra.embedded_postgres import is_embedded_running, start_embedded
from o2o.infra.logging import configure_logging, get_logger
from o2o.infra.settings import Settings

log = get_logger(__name__)

# Event streams stay open by the thousand; granian's defaults would starve at 1,024.
BACKLOG = 4096
BACKPRESSURE = 16_384
RELAY_STOP_SECONDS = 15
RELAY_RESTART_SECONDS = 1.0


def serve_until_stopped(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> int:
    """Run web workers and the relay until SIGTERM or SIGINT; return the exit status."""
    settings = msgspec.structs.replace(
        settings,
        host=host or settings.host,
        port=port if port is not None else settings.port,
        workers=workers or settings.workers,
    )
    configure_logging(as_json=settings.log_json)
    try:
        asyncio.run(_check(settings))
    except DurabilityOff as off:
        click.echo(f"Not starting: {off}", err=True)
        return 78
    figures = share_figures()
    _hand_down(settings)
    relay = RelayProcess()
    relay.start()
    try:
        _run_granian(settings)
    finally:
        relay.stop()
        shutil.rmtree(figures, ignore_errors=True)
    return 0


async def _check(settings: Settings) -> None:
    runtime = open_runtime(settings)
    try:
        await check_runtime(runtime)
    finally:
        await runtime.engine.dispose()


def _hand_down(settings: Settings) -> None:
    """Give the children of this process the same settings, through the environment."""
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        text = str(int(value)) if isinstance(value, bool) else str(value)
        os.environ[f"O2O_{name.upper()}"] = text


def _run_granian(settings: Settings) -> None:
    from granian.constants import Interfaces, Loops  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415

    from o2o.app.patient_server import PatientServer  # noqa: PLC0415

    PatientServer(
        "o2o.app.asgi:create_root",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        websockets=False,
        log_enabled=False,
    ).serve()


class RelayProcess:
    """The relay as a child process, started again when it dies."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pid = os.getpid()

    def start(self) -> None:
        """Start the supervisor of the relay, and again if it dies; it ends with this process."""
        self._start_supervisor()
        # A signal and no thread: web workers are forked from a process without threads.
        signal.signal(signal.SIGCHLD, self._revive)

    def _revive(self, *_: object) -> None:
        # Forked web workers inherit the handler, but the supervisor is no child of theirs.
        if os.getpid() != self._pid or self._supervisor is None:
            return
        if self._supervisor.poll() is not None:
            log.warning("relay.supervisor_restarted", status=self._supervisor.returncode)
            self._start_supervisor()

    def _start_supervisor(self) -> None:
        self._supervisor = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "o2o.app.serving", str(os.getpid())],
            start_new_session=True,
        )

    def stop(self) -> None:
        """Let the relay finish what it holds."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        supervisor.terminate()
        try:
            supervisor.wait(RELAY_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            supervisor.kill()


def supervise_relay(parent_pid: int) -> None:
    """Keep one relay running until told to stop or the parent is gone."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    relay: subprocess.Popen[bytes] | None = None
    while not stopping and os.getppid() == parent_pid:
        if relay is None or relay.poll() is not None:
            relay = subprocess.Popen([sys.executable, "-m", "o2o.app.cli", "worker", "--child"])
        _keep_database()
        time.sleep(RELAY_RESTART_SECONDS)
    if relay is not None and relay.poll() is None:
        relay.terminate()
        try:
            relay.wait(RELAY_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            relay.kill()


def _keep_database() -> None:
    """Start the embedded PostgreSQL again if it died; nothing to do for another server."""
    data_dir = Path(os.environ.get("O2O_DATA_DIR", ""))
    if str(data_dir.resolve()) not in os.environ.get("O2O_DATABASE_URL", ""):
        return
    if is_embedded_running(data_dir):
        return
    try:
        start_embedded(data_dir)
    except Exception as error:  # noqa: BLE001 - what is left of the old one may hold on for a moment
        log.warning("database.restart_failed", error=repr(error))
    else:
        log.warning("database.restarted")


if __name__ == "__main__":
    supervise_relay(int(sys.argv[1]))


__all__ = ["RelayProcess", "serve_until_stopped", "supervise_relay"]

"""The contestants as programs: started on their core, asked until they answer, stopped by pid."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.machine import born_on, family
from o2o.app.serving import BACKLOG, BACKPRESSURE

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
START_SECONDS = 120.0
STOP_SECONDS = 20.0
# As `o2o serve` sets it.
HEADER_READ_MS = 10_000


def free_port() -> int:
    """Ask the system for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running contestant."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        port: int,
        cores: set[int],
        environment: Mapping[str, str],
        log: Path,
        ready_path: str = "/",
    ) -> None:
        """Start it and wait until it answers HTTP, whatever the status."""
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        with log.open("wb") as out, born_on(cores):
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env={**os.environ, **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )
        try:
            self._await_answer(ready_path)
        except BaseException:
            self.stop()
            raise

    def _await_answer(self, path: str) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self._process.poll() is None:
            try:
                urllib.request.urlopen(self.url + path, timeout=2).close()  # noqa: S310 - loopback
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
            else:
                return
        msg = f"{self.name} did not start:\n{self._log.read_text(errors='replace')[-4000:]}"
        raise RuntimeError(msg)

    @property
    def pid(self) -> int:
        """The first of its processes."""
        return self._process.pid

    @property
    def worker_pid(self) -> int:
        """The process that answers: granian's worker, otherwise the program itself."""
        return family(self._process.pid)[-1]

    def stop(self) -> None:
        """Ask it to leave, and insist after a while."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def granian(target: str, *, port: int, is_factory: bool, workers: int = 1) -> list[str]:
    """Return the command that serves an ASGI application as `o2o serve` does."""
    return [
        sys.executable,
        *("-m", "granian", target),
        *(["--factory"] if is_factory else []),
        *("--interface", "asgi", "--http", "1", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--loop", "uvloop"),
        *("--backlog", str(BACKLOG), "--backpressure", str(BACKPRESSURE)),
        *("--http1-header-read-timeout", str(HEADER_READ_MS)),
        *("--no-ws", "--no-log"),
    ]


def product_environment(database_url: str, *, secret_key: str, data_dir: Path) -> dict[str, str]:
    """Return the settings of the product; WeChat's hosts are nowhere."""
    figures = data_dir / "metrics"
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir(parents=True)
    nowhere = "http://127.0.0.1:9"
    return {
        "O2O_DATABASE_URL": database_url,
        "O2O_DATA_DIR": str(data_dir),
        "O2O_SECRET_KEY": secret_key,
        "O2O_DEMO": "1",
        "O2O_WECHAT_API_URL": nowhere,
        "O2O_WECHAT_OAUTH_URL": nowhere,
        "O2O_WECHAT_PAY_URL": nowhere,
        "O2O_WECHAT_JSSDK_URL": nowhere,
        "PROMETHEUS_MULTIPROC_DIR": str(figures),
        "PYTHONPATH": str(ROOT / "src"),
    }

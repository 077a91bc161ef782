"""The product as a black box: started as a person would, its processes found, killed and frozen.

Only processes that came of this start are ever touched: the descendants of the program that was
started here, and the database server whose data lies in this product's own folder.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil

from chaos.rows import DATABASE_NAME, read_rows, server_socket
from o2o.app.demo.sandbox import start_sandbox, wait_for_sandbox
from o2o.app.demo.settings import demo_settings

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
LOG_TAIL = 4_000
# What a person started, and what came of it.
MAIN, WEB, RELAY, SUPERVISOR, SANDBOX = "main", "web", "relay", "supervisor", "sandbox"
OTHER, DATABASE = "other", "database"
APPLICATION = (MAIN, SUPERVISOR, RELAY, WEB)
EVERYTHING = (*APPLICATION, SANDBOX, OTHER, DATABASE)

_START_DATABASE = (
    "import sys; from pathlib import Path;"
    " from o2o.infra.embedded_postgres import start_embedded; start_embedded(Path(sys.argv[1]))"
)


class ProductDidNotStart(Exception):
    """The product ended or was not ready in time; the text ends with its log."""


def free_port() -> int:
    """Ask the system for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(is_so: Any, *, seconds: float, what: str) -> None:
    """Look again until something is so. Raises TimeoutError that says what never was."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_SECONDS)


class Product:
    """One data folder, its two ports, and whatever of it runs at the moment."""

    def __init__(self, data_dir: Path, *, workers: int = 1) -> None:
        """Choose ports; nothing runs yet."""
        self.data_dir = data_dir.resolve()
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self._workers = workers
        self._log = self.data_dir.parent / f"{self.data_dir.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        # WeChat's, where it does not go down with the program (`serve_alone`).
        self._stand_in: subprocess.Popen[bytes] | None = None

    @property
    def demo(self) -> dict[str, Any]:
        """What the product wrote for outside programs."""
        content: dict[str, Any] = json.loads((self.data_dir / "demo.json").read_text())
        return content

    @property
    def database_url(self) -> str:
        """The address of the embedded server, by its own pid file."""
        folder, port = server_socket(self.data_dir)
        return f"postgresql://postgres@/{DATABASE_NAME}?host={folder}&port={port}"

    def start(self) -> None:
        """Start on the folder, whatever an earlier run left there, and wait until it serves.

        Raises ProductDidNotStart.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._run(
            *("demo", "--port", str(self.port), "--sandbox-port", str(self.sandbox_port)),
            *("--data-dir", str(self.data_dir), "--workers", str(self._workers)),
        )

    def serve_alone(self) -> None:
        """Put `o2o serve` in the place of the demo's program, or of a killed one of its own.

        As in a real house: the database and WeChat do not go down with the program, and it is
        started again without demo data being looked after. Raises ProductDidNotStart.
        """
        own = self.find(SANDBOX)
        self.kill(*APPLICATION)
        # The demo's own stand-in leaves with the program.
        psutil.wait_procs(own, timeout=STOP_SECONDS)
        if self._stand_in is None:
            # On what the demo's own remembers.
            self._stand_in = start_sandbox(
                port=self.sandbox_port, data_dir=self.data_dir, leaves_with_parent=False
            )
            wait_for_sandbox(self.sandbox_url, self._stand_in)
        self._run(
            *("serve", "--port", str(self.port), "--workers", str(self._workers)),
            **self._settings,
            O2O_DATABASE_URL=self.database_url,
        )

    @property
    def _settings(self) -> dict[str, str]:
        return demo_settings(self.data_dir, port=self.port, sandbox_url=self.sandbox_url)

    def _run(self, *arguments: str, **settings: str) -> None:
        """Start the program with a command and wait until it serves. Raises ProductDidNotStart."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "o2o.app.cli", *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=_environment() | settings,
                start_new_session=True,
            )
        try:
            wait_until(self._is_ready_or_gone, seconds=READY_SECONDS, what="the product is ready")
        except TimeoutError as error:
            raise ProductDidNotStart(f"{error}\n{self.log_tail()}") from None
        if self._process.poll() is not None:
            raise ProductDidNotStart(f"exit {self._process.returncode}\n{self.log_tail()}")

    def _is_ready_or_gone(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None or self.is_ready()

    def is_ready(self) -> bool:
        """Whether the product says it can serve."""
        # Ten times a second beside a program that starts: nothing is set up for it.
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2.0)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def wait_ready(self, *, seconds: float = READY_SECONDS) -> None:
        """Wait until it serves again. Raises TimeoutError."""
        wait_until(self.is_ready, seconds=seconds, what="the product is ready again")

    def wait_set_up(self) -> None:
        """Wait until the accounts have their templates at WeChat, as minutes after any start."""
        wanted = 2 * len(self.demo["accounts"])
        query = "SELECT count(*) FROM message_templates"
        wait_until(
            lambda: read_rows(self.data_dir, query)[0]["count"] >= wanted,
            seconds=READY_SECONDS,
            what="the accounts have their templates",
        )

    @property
    def is_running(self) -> bool:
        """Whether the program that was started here still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it as Ctrl-C would, and make sure that nothing of it is left."""
        self.thaw()
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        self.kill(*EVERYTHING)
        if self._stand_in is not None:
            self._stand_in.kill()
            self._stand_in.wait()
        self._process = self._stand_in = None

    def find(self, *parts: str) -> list[psutil.Process]:
        """Return the running processes of these parts of the product."""
        found: list[psutil.Process] = []
        if DATABASE in parts:
            found += self._database()
        if self._process is None or not set(parts) - {DATABASE}:
            return found
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid)
            family = [main, *main.children(recursive=True)]
            found += [process for process in family if _is_one_of(process, main, parts)]
        return found

    def _database(self) -> list[psutil.Process]:
        """Find the server of our own folder, by its pid file, and its children."""
        with suppress(FileNotFoundError, ValueError, IndexError, psutil.Error):
            first = (self.data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0]
            server = psutil.Process(int(first))
            if str(self.data_dir / "postgres") in " ".join(server.cmdline()):
                return [server, *server.children(recursive=True)]
        return []

    def kill(self, *parts: str) -> set[int]:
        """SIGKILL these parts at once; return the numbers of the processes that were killed."""
        processes = self.find(*parts)
        _kill(processes)
        if MAIN in parts and self._process is not None:
            self._process.wait()
        psutil.wait_procs(processes, timeout=10)
        return {process.pid for process in processes}

    def kill_database_server(self) -> None:
        """SIGKILL the postmaster alone; its children notice by themselves."""
        for process in self._database()[:1]:
            process.kill()

    def start_database(self) -> None:
        """Start the database server on its folder, if it does not run again already."""
        subprocess.run(
            [sys.executable, "-c", _START_DATABASE, str(self.data_dir)],
            env=_environment(),
            check=True,
            timeout=READY_SECONDS,
        )

    @contextmanager
    def frozen(self, *parts: str) -> Iterator[None]:
        """SIGSTOP these parts for as long as the block lasts."""
        processes = self.find(*parts)
        try:
            _send(processes, signal.SIGSTOP)
            yield
        finally:
            _send(processes, signal.SIGCONT)

    def thaw(self) -> None:
        """Let everything run that may still be stopped."""
        _send(self.find(*EVERYTHING), signal.SIGCONT)

    def verify(self) -> tuple[bool, str]:
        """Run `o2o ledger verify`; return whether the books are sound, and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "o2o.app.cli", "ledger", "verify"],
            env=_environment() | self._settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode == 0, done.stdout + done.stderr

    def log_tail(self) -> str:
        """Return the end of what the product printed."""
        return self._log.read_text(errors="replace")[-LOG_TAIL:] if self._log.exists() else ""


def _environment() -> dict[str, str]:
    """Our own surroundings without settings of another product; compiled once, as installed."""
    dropped = ("O2O_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}


def _is_one_of(process: psutil.Process, main: psutil.Process, parts: Sequence[str]) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE and _part(process, main) in parts
    return False


def _part(process: psutil.Process, main: psutil.Process) -> str:
    if process.pid == main.pid:
        return MAIN
    line = " ".join(process.cmdline())
    if "wechat_sandbox" in line:
        return SANDBOX
    # What is forked keeps the words of the program it came from; the supervisor of the relay leads
    # a session of its own, and the relay is in it.
    try:
        leader = os.getsid(process.pid)
    except ProcessLookupError:
        raise psutil.NoSuchProcess(process.pid) from None
    if leader != os.getsid(main.pid) and _is_ours(line):
        return SUPERVISOR if leader == process.pid else RELAY
    return WEB if _is_program(line) else OTHER


def _is_ours(line: str) -> bool:
    return _is_program(line) or "o2o.app.relay_supervisor" in line


def _is_program(line: str) -> bool:
    return " demo " in line or " o2o.app.cli serve " in line


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)

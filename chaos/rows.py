"""What the database holds in the end, read past the application with PostgreSQL's own client."""

import json
import subprocess
from pathlib import Path
from typing import Any

from o2o.infra.embedded_postgres import DATABASE as DATABASE_NAME
from o2o.infra.embedded_postgres import postgres_program

__all__ = ["DATABASE_NAME", "read_rows", "server_socket"]

QUERY_SECONDS = 60
# Lines of postmaster.pid: pid, folder, start time, port, folder of the socket, …
_PORT_LINE, _SOCKET_LINE = 3, 4


def server_socket(data_dir: Path) -> tuple[str, str]:
    """Return the folder of the server's socket and its port number, by its pid file."""
    lines = (data_dir / "postgres" / "postmaster.pid").read_text().split("\n")
    return lines[_SOCKET_LINE], lines[_PORT_LINE]


def read_rows(data_dir: Path, query: str, **values: object) -> list[dict[str, Any]]:
    """Run a SELECT on the embedded server under `data_dir`; return its rows.

    `:'name'` in the query stands for a value, quoted; a list comes joined by commas, so that
    `string_to_array(:'name', ',')` has it. Raises CalledProcessError when the server does not
    answer or refuses.
    """
    folder, port = server_socket(data_dir)
    wrapped = f"SELECT coalesce(json_agg(r), '[]') FROM ({query}) AS r"  # noqa: S608 - our own
    done = subprocess.run(
        [
            *(str(postgres_program("psql")), "-qtAX", "-v", "ON_ERROR_STOP=1"),
            *("-h", folder, "-p", port),
            *("-U", "postgres", "-d", DATABASE_NAME),
            *(part for name, value in values.items() for part in ("-v", f"{name}={_text(value)}")),
        ],
        input=wrapped,
        check=True,
        capture_output=True,
        text=True,
        timeout=QUERY_SECONDS,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)

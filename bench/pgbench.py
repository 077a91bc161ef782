"""pgbench, the one that ships with the server: runs a script and is read for its figures."""

import asyncio
import os
import re
from pathlib import Path

from bench.figures import Round
from bench.script import SEQ_PER_RUN
from o2o.infra.embedded_postgres import postgres_program

THREADS_MAX = 2
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)


class PgbenchFailed(Exception):
    """pgbench gave up; the text is its own."""


class Pgbench:
    """Runs one script at several client counts. Runs never use the same ids."""

    def __init__(self, script: Path, *, database_url: str) -> None:
        """Repeat what is in `script`."""
        self._script = script
        self._url = database_url
        self._runs = 0

    async def run(self, *, clients: int, seconds: float) -> Round:
        """Run for so many seconds (whole ones). Raises PgbenchFailed."""
        first = self._runs * SEQ_PER_RUN
        self._runs += 1
        program = await asyncio.create_subprocess_exec(
            postgres_program("pgbench"),
            *("--no-vacuum", "--protocol=prepared", f"--file={self._script}"),
            *(f"--client={clients}", f"--jobs={min(clients, THREADS_MAX)}"),
            *(f"--time={max(1, round(seconds))}", f"--define=seq={first}"),
            self._url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PGCONNECT_TIMEOUT": "10"},
        )
        out, err = await program.communicate()
        if program.returncode != 0:
            raise PgbenchFailed(err.decode(errors="replace")[-4000:])
        return read_figures(out.decode(), name=name_of(clients))


def name_of(clients: int) -> str:
    """Name a contestant."""
    return f"pgbench, {clients} clients" if clients > 1 else "pgbench, 1 client"


def read_figures(told: str, *, name: str) -> Round:
    """Read pgbench's report. Its percentiles are not known; the mean stands for the median."""
    done, rate = int(_found(_DONE, told)), float(_found(_TPS, told))
    failed = int(_found(_FAILED, told, otherwise="0"))
    return Round(
        name=name,
        # Connecting is left out, as it is for the connections of the load.
        seconds=done / rate if rate else 0.0,
        answered=done,
        errors={"failed transactions": failed} if failed else {},
        p50_ms=float(_found(_LATENCY, told)),
    )


def _found(pattern: re.Pattern[str], told: str, otherwise: str | None = None) -> str:
    found = pattern.search(told)
    if found is not None:
        return found.group(1)
    if otherwise is None:
        raise PgbenchFailed(told)
    return otherwise

"""PostgreSQL for the run: the product's embedded server in a data directory of its own, durable."""

import asyncio
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from bench.machine import born_on, move
from o2o.infra.database import check_durability, create_engine
from o2o.infra.embedded_postgres import CREATE, postgres_program, start_embedded, stop_embedded
from o2o.infra.migrations import migrate

DATABASE = "bench"
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")


class Postgres:
    """One server with one fresh database, started as the product starts its own."""

    def __init__(self, data_dir: Path, *, on: set[int], is_kept: bool = False) -> None:
        """Start it on these cores and build the schema by the migrations.

        With `is_kept` on what the last run left, brought up to date.
        """
        self._data_dir = data_dir
        with born_on(on):
            server_url = start_embedded(data_dir)
        self.url = server_url.replace("/o2o?", f"/{DATABASE}?")
        self.settle_on(on)
        if not is_kept:
            self._psql(server_url, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            self._psql(server_url, CREATE.format(DATABASE))
        migrate(self.url)

    @property
    def pid(self) -> int:
        """The postmaster's, from whom every backend is born."""
        pid_file = self._data_dir.resolve() / "postgres" / "postmaster.pid"
        return int(pid_file.read_text().splitlines()[0])

    def settle_on(self, cores: set[int]) -> None:
        """Let the server and its backends, present and future, use these cores."""
        move(self.pid, cores)

    async def durability(self) -> dict[str, str]:
        """Return what the server says about keeping commits. Raises DurabilityOff."""
        engine = create_engine(self.url, pool_size=1)
        try:
            await check_durability(engine)
            async with engine.connect() as connection:
                rows = await connection.execute(
                    text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"),
                    {"names": list(DURABILITY)},
                )
                told = {str(row.name): str(row.setting) for row in rows}
                version = await connection.scalar(text("SHOW server_version"))
        finally:
            await engine.dispose()
        return {"server": f"PostgreSQL {version}", **told}

    def checkpoint(self) -> None:
        """Write everything out, so that no round pays for another's pages."""
        self._psql(self.url, "CHECKPOINT")

    def count(self, table: str) -> int:
        """Count the committed rows of a table."""
        return int(self._psql(self.url, f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own

    def read_through(self) -> int:
        """Read every file once, as a server that has been up for a day has; return the bytes."""
        total = 0
        for file in (self._data_dir.resolve() / "postgres" / "base").rglob("*"):
            with suppress(FileNotFoundError, IsADirectoryError), file.open("rb") as content:
                while part := content.read(1 << 20):
                    total += len(part)
        return total

    def stop(self) -> None:
        """Stop the server."""
        stop_embedded(self._data_dir)

    @staticmethod
    def _psql(url: str, statement: str) -> str:
        done = subprocess.run(
            [postgres_program("psql"), url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PGCONNECT_TIMEOUT": "10"},
        )
        return done.stdout.strip()


async def checkpoint(postgres: Postgres) -> None:
    """Do the same without holding up the event loop."""
    await asyncio.to_thread(postgres.checkpoint)

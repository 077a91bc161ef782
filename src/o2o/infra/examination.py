"""What `o2o doctor` asks the database about itself, its schema, the relay and the schedule."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from alembic.script import ScriptDirectory
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.migrations import migration_config


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The server as it describes itself."""

    version: str
    major: int
    encoding: str
    # A standby takes no writes.
    is_standby: bool
    clock: datetime


class ScheduleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The timetable: how many jobs, how late the latest of them is, which failed last time."""

    jobs: int
    late_seconds: float
    failing: Sequence[tuple[str, str]]


async def read_server(tx: Tx) -> ServerFacts:
    """Ask the server who it is."""
    row = (
        await tx.execute(
            text(
                "SELECT current_setting('server_version') AS version,"
                " current_setting('server_version_num')::int / 10000 AS major,"
                " current_setting('server_encoding') AS encoding,"
                " pg_is_in_recovery() AS is_standby, clock_timestamp() AS clock"
            )
        )
    ).one()
    return ServerFacts(
        version=str(row.version).split(" ", maxsplit=1)[0],
        major=row.major,
        encoding=row.encoding,
        is_standby=row.is_standby,
        clock=row.clock,
    )


async def find_revision(tx: Tx) -> str | None:
    """Return which migration the database is at; None for an empty one."""
    if await tx.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = await tx.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def list_revisions(database_url: str) -> list[str]:
    """Return the migrations that this program knows, the newest first."""
    scripts = ScriptDirectory.from_config(migration_config(database_url))
    return [script.revision for script in scripts.walk_revisions()]


async def read_schedule(tx: Tx, *, now: datetime) -> ScheduleFacts:
    """Ask how the timetable is kept. A job that is being run is not late."""
    rows = (
        await tx.execute(
            text(
                "SELECT name, coalesce(last_error, '') AS error,"
                " CASE WHEN leased_until >= :now THEN 0"
                " ELSE extract(epoch FROM CAST(:now AS timestamptz) - due_at) END AS late_seconds"
                " FROM scheduled_jobs ORDER BY name"
            ),
            {"now": now},
        )
    ).all()
    return ScheduleFacts(
        jobs=len(rows),
        late_seconds=max((float(row.late_seconds) for row in rows), default=0.0),
        failing=[(row.name, row.error) for row in rows if row.error],
    )

"""The doctor on the database: can it be reached, would it forget, is its schema this program's."""

from collections.abc import Iterator
from datetime import datetime

from o2o.app.doctor.report import Remark, fail, ok, warn
from o2o.app.runtime import Runtime
from o2o.infra.database import (
    SERVER_VERSION_MIN,
    DatabaseAway,
    DurabilityOff,
    check_durability,
    transaction,
)
from o2o.infra.embedded_postgres import start_embedded
from o2o.infra.examination import ServerFacts, find_revision, list_revisions, read_server
from o2o.infra.settings import Settings

CLOCK_SECONDS_MAX = 5.0
# What PostgreSQL calls the reasons for turning a connection down.
_REFUSALS = {
    "28P01": "database.password_wrong",
    "28000": "database.not_allowed",
    "3D000": "database.missing",
    "53300": "database.full",
}


def find_database(settings: Settings) -> tuple[str | None, list[Remark]]:
    """Return the address of the database: the one that is set, or the embedded one, started."""
    if settings.database_url:
        return settings.database_url, []
    if not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        return None, [fail("database.not_created", folder=str(settings.data_dir))]
    try:
        return start_embedded(settings.data_dir), []
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is told as it is
        folder = str(settings.data_dir / "postgres")
        return None, [fail("database.not_started", folder=folder, reason=_reason(error))]


async def examine_database(runtime: Runtime) -> tuple[bool, list[Remark]]:
    """Return whether the rest can be asked of the database, and what there is to say."""
    try:
        async with transaction(runtime.sessions) as tx:
            server = await read_server(tx)
    except Exception as error:  # noqa: BLE001 - drivers raise many kinds; each is told by its cause
        return False, [_away(error)]
    remarks = _server(server, now=runtime.clock.now())
    remarks.append(await _durability(runtime))
    async with transaction(runtime.sessions) as tx:
        revision = await find_revision(tx)
    schema = _schema(revision, list_revisions(runtime.settings.database_url))
    return schema.code == "schema.current", [*remarks, schema]


def _away(error: BaseException) -> Remark:
    for cause in _causes(error):
        code = _REFUSALS.get(getattr(cause, "sqlstate", None) or "")
        if code is not None:
            return fail(code, reason=_reason(cause))
    innermost = [cause for cause in _causes(error) if not isinstance(cause, DatabaseAway)]
    return fail("database.away", reason=_reason(innermost[-1] if innermost else error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "orig", None) or error.__cause__


def _reason(error: BaseException) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _server(server: ServerFacts, *, now: datetime) -> list[Remark]:
    least = str(SERVER_VERSION_MIN)
    if server.major < SERVER_VERSION_MIN:
        remarks = [fail("database.too_old", version=server.version, least=least)]
    else:
        remarks = [ok("database.good", version=server.version)]
    if server.encoding != "UTF8":
        remarks.append(fail("database.not_utf8", encoding=server.encoding))
    if server.is_standby:
        remarks.append(fail("database.standby"))
    apart = abs((server.clock - now).total_seconds())
    if apart > CLOCK_SECONDS_MAX:
        remarks.append(warn("database.clock_apart", seconds=f"{apart:.0f}"))
    return remarks


async def _durability(runtime: Runtime) -> Remark:
    try:
        await check_durability(runtime.engine)
    except DurabilityOff as off:
        return fail("database.forgetful", reason=str(off))
    return ok("database.durable")


def _schema(revision: str | None, known: list[str]) -> Remark:
    """`known` are the program's migrations, the newest first."""
    if revision is None:
        return fail("schema.empty")
    if revision not in known:
        return fail("schema.newer", revision=revision, head=known[0])
    if revision != known[0]:
        return fail("schema.behind", revision=revision, head=known[0])
    return ok("schema.current", revision=revision)

"""Serving: granian's workers in this process group, the relay in a process beside them."""

import asyncio
import importlib
import os
import shutil
import time

import click
import msgspec
from sqlalchemy.exc import DBAPIError

from o2o.app.figures import share_figures
from o2o.app.relay_supervisor import RelaySupervisor
from o2o.app.runtime import check_runtime, open_runtime
from o2o.app.starting import uncollected
from o2o.infra.database import DatabaseAway, DurabilityOff, losses_named
from o2o.infra.logging import configure_logging, get_logger
from o2o.infra.settings import Settings

log = get_logger(__name__)

# Event streams stay open by the thousand; granian's defaults would starve at 1,024.
BACKLOG = 4096
BACKPRESSURE = 16_384
# After a crash of the whole machine the database reads its log again while this starts already.
DATABASE_WAIT_SECONDS = 120.0
DATABASE_LOOK_SECONDS = 0.5


def serve_until_stopped(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> int:
    """Run web workers and the relay until SIGTERM or SIGINT; return the exit status.

    A database that does not answer yet is waited for. The status is 69 when it never does or
    refuses us, and 78 when it could forget what it acknowledges.
    """
    settings = msgspec.structs.replace(
        settings,
        host=host or settings.host,
        port=port if port is not None else settings.port,
        workers=workers or settings.workers,
    )
    configure_logging(as_json=settings.log_json)
    try:
        asyncio.run(wait_for_database(settings))
    except DurabilityOff as off:
        click.echo(f"Not starting: {off}", err=True)
        return 78
    except (DatabaseAway, DBAPIError) as error:
        reason = _reason(error)
        click.echo(f"Not starting: the database cannot be used ({reason}).", err=True)
        click.echo("Start it, or look at O2O_DATABASE_URL: `o2o doctor` tells more.", err=True)
        return 69
    figures = share_figures()
    _hand_down(settings)
    # Once, here: the relay and the web workers are forked from this process.
    with uncollected():
        importlib.import_module("o2o.app.asgi")
    relay = RelaySupervisor(settings)
    relay.start()
    try:
        _run_granian(settings)
    finally:
        relay.stop()
        shutil.rmtree(figures, ignore_errors=True)
    return 0


async def wait_for_database(settings: Settings) -> None:
    """Wait until the database answers, and look whether it keeps what it acknowledges.

    Raises DurabilityOff; DatabaseAway after DATABASE_WAIT_SECONDS; DBAPIError where it refuses.
    """
    runtime = open_runtime(settings)
    gives_up_at = time.monotonic() + DATABASE_WAIT_SECONDS
    try:
        while True:
            try:
                with losses_named():
                    return await check_runtime(runtime)
            except DatabaseAway as away:
                if time.monotonic() > gives_up_at:
                    raise
                log.warning("database.waited_for", reason=_reason(away))
            await asyncio.sleep(DATABASE_LOOK_SECONDS)
    finally:
        await runtime.engine.dispose()


def _reason(error: DatabaseAway | DBAPIError) -> str:
    cause = error.__cause__ if isinstance(error, DatabaseAway) else error
    return str(cause.orig if isinstance(cause, DBAPIError) else cause) or repr(cause)


def _hand_down(settings: Settings) -> None:
    """Give the children of this process the same settings, through the environment."""
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        text = str(int(value)) if isinstance(value, bool) else str(value)
        os.environ[f"O2O_{name.upper()}"] = text


def _run_granian(settings: Settings) -> None:
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415

    from o2o.app.patient_server import PatientServer  # noqa: PLC0415

    PatientServer(
        "o2o.app.asgi:create_root",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        # What ends TLS in front speaks it, too; being ready for both takes twice the memory for
        # each open stream.
        http=HTTPModes.http1,
        workers=settings.workers,
        loop=Loops.uvloop,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        websockets=False,
        log_enabled=False,
    ).serve()

"""Serving: granian's workers in this process group, the relay in a process beside them."""

import asyncio
import importlib
import os
import shutil

import click
import msgspec

from o2o.app.figures import share_figures
from o2o.app.relay_supervisor import RelaySupervisor
from o2o.app.runtime import check_runtime, open_runtime
from o2o.app.starting import uncollected
from o2o.infra.database import DurabilityOff
from o2o.infra.logging import configure_logging
from o2o.infra.settings import Settings

# Event streams stay open by the thousand; granian's defaults would starve at 1,024.
BACKLOG = 4096
BACKPRESSURE = 16_384


def serve_until_stopped(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> int:
    """Run web workers and the relay until SIGTERM or SIGINT; return the exit status."""
    settings = msgspec.structs.replace(
        settings,
        host=host or settings.host,
        port=port if port is not None else settings.port,
        workers=workers or settings.workers,
    )
    configure_logging(as_json=settings.log_json)
    try:
        asyncio.run(_check(settings))
    except DurabilityOff as off:
        click.echo(f"Not starting: {off}", err=True)
        return 78
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


async def _check(settings: Settings) -> None:
    runtime = open_runtime(settings)
    try:
        await check_runtime(runtime)
    finally:
        await runtime.engine.dispose()


def _hand_down(settings: Settings) -> None:
    """Give the children of this process the same settings, through the environment."""
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        text = str(int(value)) if isinstance(value, bool) else str(value)
        os.environ[f"O2O_{name.upper()}"] = text


def _run_granian(settings: Settings) -> None:
    from granian.constants import Interfaces, Loops  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415

    from o2o.app.patient_server import PatientServer  # noqa: PLC0415

    PatientServer(
        "o2o.app.asgi:create_root",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
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

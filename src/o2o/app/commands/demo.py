"""`o2o demo`: everything on this machine, with demo data and a phone."""

import asyncio
import importlib
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from o2o.app.demo.sandbox import start_sandbox, wait_for_sandbox
from o2o.app.demo.settings import demo_settings
from o2o.app.figures import share_figures
from o2o.app.leftovers import StillRunning, end_leftovers, is_port_free, remember
from o2o.app.starting import uncollected
from o2o.infra.embedded_postgres import start_embedded, stop_embedded

if TYPE_CHECKING:
    from o2o.app.demo.world import World
    from o2o.infra.settings import Settings

# What takes seconds to import is imported below, while PostgreSQL and the stand-in start.


@click.command()
@click.option("--port", default=8000, show_default=True, help="Port of the product.")
@click.option("--sandbox-port", default=8001, show_default=True, help="Port of the phone.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path(".o2o"),
    show_default=True,
    help="Where everything is kept.",
)
@click.option("--workers", default=1, show_default=True, help="Web worker processes.")
@click.option("--reset", is_flag=True, help="Throw the demo's data away first.")
def demo(*, port: int, sandbox_port: int, data_dir: Path, workers: int, reset: bool) -> None:
    """Run product and phone with demo data until Ctrl-C."""
    data_dir = data_dir.resolve()
    try:
        end_leftovers(data_dir / "demo.pids")
    except StillRunning as running:
        click.echo(f"A demo runs on {data_dir} already (process {running.pid}). Stop it first.")
        sys.exit(1)
    for number in (port, sandbox_port):
        if not is_port_free(number):
            click.echo(f"Port {number} is taken. Choose others with --port and --sandbox-port.")
            sys.exit(1)
    if reset and data_dir.exists():
        stop_embedded(data_dir)
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    # Children inherit them.
    os.environ |= demo_settings(data_dir, port=port, sandbox_url=sandbox_url)
    share_figures()
    process = start_sandbox(port=sandbox_port, data_dir=data_dir)
    remember(data_dir / "demo.pids", [os.getpid(), process.pid])
    status = 1
    try:
        os.environ["O2O_DATABASE_URL"] = _start_database(data_dir)
        status = _serve(process, sandbox_url=sandbox_url, port=port, workers=workers)
    finally:
        # What follows ends in seconds; a hurried Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.terminate()
        process.wait()
        stop_embedded(data_dir)
        (data_dir / "demo.pids").unlink(missing_ok=True)
    sys.exit(status)


def _start_database(data_dir: Path) -> str:
    """Start PostgreSQL and import meanwhile what the web workers will need."""
    with ThreadPoolExecutor(1) as aside:
        database = aside.submit(start_embedded, data_dir)
        with uncollected():
            importlib.import_module("o2o.app.asgi")
        return database.result()


def _serve(sandbox: subprocess.Popen[bytes], *, sandbox_url: str, port: int, workers: int) -> int:
    from o2o.app.demo.world import load_world  # noqa: PLC0415
    from o2o.app.serving import serve_until_stopped  # noqa: PLC0415
    from o2o.infra.migrations import migrate  # noqa: PLC0415
    from o2o.infra.settings import read_settings  # noqa: PLC0415

    world = load_world()
    settings = read_settings()
    migrate(settings.database_url)
    wait_for_sandbox(sandbox_url, sandbox)
    asyncio.run(_prepare(settings, world, sandbox_url=sandbox_url))
    greeting = [sys.executable, "-m", "o2o.app.demo.greeting", str(settings.data_dir)]
    subprocess.Popen(greeting)  # noqa: S603 - our own program
    return serve_until_stopped(settings, port=port, workers=workers)


async def _prepare(settings: "Settings", world: "World", *, sandbox_url: str) -> None:
    from o2o.app.demo.accounts import open_accounts, show_places  # noqa: PLC0415
    from o2o.app.demo.boot import prepare_demo  # noqa: PLC0415
    from o2o.app.runtime import open_runtime  # noqa: PLC0415

    runtime = open_runtime(settings)
    try:
        accounts = open_accounts(sandbox_url, product_url=settings.public_url, world=world)
        show_places(sandbox_url, world)
        await prepare_demo(runtime, world, accounts=accounts, sandbox_url=sandbox_url)
    finally:
        await runtime.engine.dispose()

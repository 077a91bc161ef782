"""`o2o bridge`: the reference program beside a hall's queue machine, and its key."""

import signal
from pathlib import Path
from uuid import UUID

import click

from o2o.app.install.working import Speech, open_for_command, work
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.queueing.actions.issue_bridge_key import issue_bridge_key
from o2o.stores.queries import get_store


@click.group(invoke_without_command=True)
@click.option("--product", metavar="URL", help="Where the product is.")
@click.option("--store", metavar="ID", type=click.UUID, help="Which store the hall is.")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the bridge key (see `o2o bridge key`).",
)
@click.option("--from", "source", metavar="SOURCE", help="Address, .json or .csv of the machine.")
@click.option(
    "--numbers",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File in which numbers taken in WeChat are kept for the machine.",
)
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(0.2, 60.0))
@click.option("--once", is_flag=True, help="Send one state and end.")
@click.pass_context
def bridge(
    context: click.Context,
    *,
    product: str | None,
    store: UUID | None,
    key_file: Path | None,
    source: str | None,
    numbers: Path | None,
    every: float,
    once: bool,
) -> None:
    """Keep the product in step with a hall's own queue machine."""
    if context.invoked_subcommand is not None:
        return
    if not (product and store and key_file and source):
        raise click.UsageError("--product, --store, --key-file and --from are needed.")
    from o2o.app.bridge.program import BridgeProgram, Setting  # noqa: PLC0415 - httpx is slow

    setting = Setting(
        product_url=product,
        store_id=str(store),
        key=key_file.read_text().strip(),
        source=source,
        numbers_path=numbers,
        every_seconds=every,
    )
    program = BridgeProgram(setting, say=lambda line: click.echo(line, err=True))
    if once:
        program.send_once()
        return
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: program.stop())
    program.run()


@bridge.command("key")
@click.option("--store", required=True, metavar="ID", type=click.UUID)
def key_command(*, store: UUID) -> None:
    """Issue a new bridge key for a store; it goes to standard output, this once."""
    runtime = open_for_command()

    async def act(tx: Tx) -> str:
        found = await get_store(tx, store)
        return await issue_bridge_key(
            tx, store_id=found.id, seal=runtime.seal, actor=SYSTEM, now=runtime.clock.now()
        )

    click.echo(work(runtime, Speech(), act))

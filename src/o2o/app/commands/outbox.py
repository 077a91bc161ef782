"""`o2o outbox`: what waits, what is dead, and trying the dead again."""

import asyncio

import click

from o2o.app.runtime import open_runtime
from o2o.app.starting import settings_with_database
from o2o.infra.database import transaction
from o2o.infra.relay_queries import list_dead, outbox_figures, revive_dead


@click.group()
def outbox() -> None:
    """Look at what waits to leave, and at dead letters."""


@outbox.command("show")
def show_outbox() -> None:
    """Show the figures and the twenty latest dead letters."""
    runtime = open_runtime(settings_with_database())

    async def run() -> None:
        async with transaction(runtime.sessions) as tx:
            figures = await outbox_figures(tx)
            rows = await list_dead(tx)
        await runtime.engine.dispose()
        click.echo(f"waiting {figures['waiting']:.0f}, dead {figures['dead']:.0f}")
        for row in rows:
            click.echo("\t".join(str(value) for value in row))

    asyncio.run(run())


@outbox.command("retry")
@click.option("--topic", default=None, help="Only messages of this topic.")
def retry_outbox(topic: str | None) -> None:
    """Put dead letters back in line."""
    runtime = open_runtime(settings_with_database())

    async def run() -> int:
        async with transaction(runtime.sessions) as tx:
            count = await revive_dead(tx, topic=topic, now=runtime.clock.now())
        await runtime.engine.dispose()
        return count

    click.echo(f"{asyncio.run(run())} dead letters are back in line.")

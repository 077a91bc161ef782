"""`o2o ledger`: the books."""

import asyncio
import sys

import click

from o2o.app.runtime import open_runtime
from o2o.app.starting import settings_with_database


@click.group()
def ledger() -> None:
    """Look into the books."""


@ledger.command()
def verify() -> None:
    """Check that the books balance; name the first bad rows and fail if they do not."""
    from o2o.ledger.verify import verify_ledger  # noqa: PLC0415

    runtime = open_runtime(settings_with_database())

    async def run() -> int:
        verdict = await verify_ledger(runtime.sessions)
        await runtime.engine.dispose()
        for line in verdict.lines():
            click.echo(line)
        return 0 if verdict.is_sound else 1

    sys.exit(asyncio.run(run()))

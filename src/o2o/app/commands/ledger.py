"""`o2o ledger`: the books."""

import asyncio
import sys
from collections.abc import Sequence

import click

from o2o.app.runtime import open_runtime
from o2o.app.starting import settings_with_database
from o2o.infra.database import transaction


@click.group()
def ledger() -> None:
    """Look into the books."""


@ledger.command()
@click.option(
    "--expect-head",
    "expected",
    multiple=True,
    metavar="SEQ:HASH",
    help="A seal you noted earlier; may be given several times.",
)
def verify(expected: Sequence[str]) -> None:
    """Check that the books balance and that sealed history stands.

    Names the first bad rows and fails if anything is wrong. The heads that the relay noted in
    O2O_DATA_DIR/ledger-heads must be in the chain.
    """
    from o2o.ledger.heads import HeadsFile  # noqa: PLC0415
    from o2o.ledger.seals import SealHead  # noqa: PLC0415
    from o2o.ledger.verify import verify_ledger  # noqa: PLC0415

    settings = settings_with_database()
    try:
        heads = [SealHead.parse(text) for text in expected]
        heads += HeadsFile(settings.data_dir).list_heads()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    runtime = open_runtime(settings)

    async def run() -> int:
        verdict = await verify_ledger(runtime.sessions, heads=heads)
        await runtime.engine.dispose()
        for line in verdict.lines():
            click.echo(line)
        return 0 if verdict.is_sound else 1

    sys.exit(asyncio.run(run()))


@ledger.command()
def head() -> None:
    """Print the last seal: note it elsewhere, and ask for it later with `verify --expect-head`."""
    from o2o.ledger.queries.seals import find_last_seal  # noqa: PLC0415

    runtime = open_runtime(settings_with_database())

    async def run() -> None:
        async with transaction(runtime.sessions) as tx:
            last = await find_last_seal(tx)
        await runtime.engine.dispose()
        click.echo(str(last.head) if last else "nothing is sealed yet")

    asyncio.run(run())

"""`o2o import`: bring in old cards and bills from the terminal, tried first, written once."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from o2o.app.install.entering import complete, from_environment
from o2o.app.install.importing import Importing, Order, parse_totals
from o2o.app.install.working import Speech, guarded, open_for_command
from o2o.app.leftovers import leave_with_parent
from o2o.app.runtime import open_runtime
from o2o.app.starting import collect_rarely, settings_with_database
from o2o.crm.statuses import ImportKind
from o2o.infra.logging import configure_logging
from o2o.membership.import_runner import ImportRunner
from o2o.membership.imports.reading import names_of
from o2o.membership.imports.reports import template_csv
from o2o.web.copy import LANGUAGES, Words

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BRAND_HELP = "Slug of the brand; with one brand it is that one."
STORE_HELP = "Code of the store for rows that name none."


@click.group("import")
def import_() -> None:
    """Bring in old cards and bills."""


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--skip-faulty", is_flag=True, help="Leave rows with faults out."),
        click.option("--dry-run", is_flag=True, help="Only check; nothing is kept."),
        click.option("--store", help=STORE_HELP),
        click.option("--brand", help=BRAND_HELP),
        click.argument("file", type=FILE),
    ):
        command = option(command)
    return command


@import_.command("cards")
@_shared
@click.option("--confirm", "totals", metavar="TOTALS", help="rows=…,principal=…,bonus=…,points=…")
@click.option("--finance", metavar="LOGIN", help="Who confirms; the password is asked for.")
def cards_command(
    file: Path,
    *,
    totals: str | None,
    finance: str | None,
    **asked: Any,
) -> None:
    """Check FILE, a table of old cards with balances.

    Without --confirm it then waits for finance in the console. With it, somebody from finance
    names the totals here: amounts in yuan, the password from STAFF_PASSWORD or typed.
    """
    speech = Speech()
    named = None
    password = ""
    if totals is not None:
        named = parse_totals(totals)
        if named is None:
            raise click.BadParameter(_said(speech, "totals_wrong"), param_hint="--confirm")
        if finance is None:
            raise click.UsageError(_said(speech, "finance_wanted"))
        password = complete(from_environment(["password"]), wanted=["password"], speech=speech)[
            "password"
        ]
    _run(
        speech,
        Order(
            file=file,
            kind=ImportKind.CARDS,
            totals=named,
            finance=finance,
            password=password,
            **asked,
        ),
    )


@import_.command("purchases")
@_shared
@click.option("--source", default="file", show_default=True, help="Which system bills are from.")
def purchases_command(file: Path, **asked: Any) -> None:
    """Check FILE, a table of bills, and write what is right; each bill once."""
    _run(Speech(), Order(file=file, kind=ImportKind.PURCHASES, **asked))


def _said(speech: Speech, key: str) -> str:
    return speech.words.text(f"imports.said.{key}", speech.language)


def _run(speech: Speech, order: Order) -> None:
    importing = Importing(open_for_command(), speech, order)
    raise SystemExit(guarded(speech, importing.run()))


@import_.command("template")
@click.option("--kind", type=click.Choice([kind.value for kind in ImportKind]), default="cards")
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
def template_command(*, kind: str, language: str) -> None:
    """Print an empty table with its head, as CSV."""
    text = template_csv(Words(), ImportKind(kind), language=language)
    click.echo(text.encode(), nl=False)


@import_.command("work", hidden=True)
@click.option("--child", is_flag=True, hidden=True, help="Leave when the parent does.")
def work_command(*, child: bool) -> None:
    """Work on whatever imports are due, then end."""
    if child:
        leave_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Guests come first.
        os.nice(5)
    runtime = open_runtime(settings_with_database())
    configure_logging(as_json=runtime.settings.log_json)
    words = Words()
    runner = ImportRunner(
        sessions=runtime.sessions,
        seal=runtime.seal,
        clock=runtime.clock,
        names=names_of([words.table("imports", language) for language in LANGUAGES]),
    )

    collect_rarely()

    async def run() -> None:
        try:
            await runner.run_until_idle()
        finally:
            await runtime.engine.dispose()

    asyncio.run(run())

"""`o2o doctor`: examine the installation and say what to fix."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator

import click
import msgspec

from o2o.app.doctor.accounts import examine_accounts
from o2o.app.doctor.address import examine_address, examine_product
from o2o.app.doctor.database import examine_database, find_database
from o2o.app.doctor.disk import examine_disk
from o2o.app.doctor.relay import examine_relay
from o2o.app.doctor.report import Remark, Told, exit_status, fail, language_from, tell
from o2o.app.doctor.settings import examine_settings, with_database
from o2o.app.doctor.sms import examine_sms
from o2o.app.runtime import Runtime, open_runtime
from o2o.infra.logging import configure_logging
from o2o.infra.settings import Settings
from o2o.web.copy import LANGUAGES, Words

Tell = Callable[[list[Remark]], None]


@click.command()
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language; else that of the terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, for programs.")
def doctor(*, lang: str | None, as_json: bool) -> None:
    """Check the installation and say what to fix; exit status 1 if anything fails.

    Changes nothing, and starts nothing but the embedded PostgreSQL.
    """
    configure_logging(as_json=False, level=logging.CRITICAL)
    words = Words()
    language = lang or language_from(dict(os.environ))
    remarks: list[Remark] = []
    told: list[Told] = []

    def hear(found: list[Remark]) -> None:
        for remark in found:
            remarks.append(remark)
            told.append(tell(remark, words, language))
            if not as_json:
                click.echo(told[-1].line())

    _examine(hear, words)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    sys.exit(exit_status(remarks))


def _examine(hear: Tell, words: Words) -> None:
    settings, remarks = examine_settings(os.environ)
    hear(remarks)
    if settings is None:
        return
    hear([*examine_address(settings), *examine_sms(settings), *examine_disk(settings)])
    url, remarks = find_database(settings)
    hear(remarks)
    if url is not None:
        asyncio.run(_examine_running(with_database(settings, url), hear, words))


async def _examine_running(settings: Settings, hear: Tell, words: Words) -> None:
    try:
        runtime = open_runtime(settings)
    except Exception as error:  # noqa: BLE001 - the address is parsed by a library with its own ways
        # Its words may quote the address, which may hold a password.
        hear([fail("database.address_wrong", reason=type(error).__name__)])
        return
    try:
        is_usable, remarks = await examine_database(runtime)
        hear(remarks)
        if is_usable:
            for examination in _examinations(runtime, words):
                hear(await _guarded(examination))
    finally:
        await runtime.engine.dispose()


def _examinations(runtime: Runtime, words: Words) -> Iterator[Awaitable[list[Remark]]]:
    yield examine_relay(runtime)
    yield examine_product(runtime.settings)
    yield examine_accounts(runtime, words)


async def _guarded(examination: Awaitable[list[Remark]]) -> list[Remark]:
    """A doctor who faints helps nobody: what was not foreseen is a finding too."""
    try:
        return await examination
    except Exception as error:  # noqa: BLE001 - told as a finding, the others go on
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        return [fail("doctor.fainted", reason=reason)]

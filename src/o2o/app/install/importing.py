"""One import from the terminal: the file kept, checked with a line of progress, written or not."""

import asyncio
import re
import sys
from pathlib import Path
from typing import IO, NoReturn
from uuid import UUID

import click
import msgspec

from o2o.app.install.brands import choose_brand, choose_store
from o2o.app.install.working import Speech
from o2o.app.runtime import Runtime
from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.database import Tx, transaction
from o2o.kernel.ids import BrandId
from o2o.kernel.money import format_yuan, parse_yuan
from o2o.membership.actions.import_confirm import ConfirmImport, confirm_import, withdraw_import
from o2o.membership.actions.import_receive import Received, ReceiveImport, receive_import
from o2o.membership.errors_imports import ImportNotReady
from o2o.membership.import_runner import ImportRunner
from o2o.membership.imports.faults import FAULTS_KEPT
from o2o.membership.imports.reading import names_of
from o2o.membership.imports.reports import fault_text, form_text
from o2o.membership.imports.upload import Examined, examine, pieces_of
from o2o.membership.queries.imports import ImportView, get_import, list_faults
from o2o.staff.front_door import FrontDoor
from o2o.web.copy import LANGUAGES
from o2o.web.sessions import end_session

FAULTS_SHOWN = 20
WAIT_SECONDS = 0.5
_TOTAL = re.compile(r"\s*(rows|principal|bonus|points)\s*=\s*([0-9.]+)\s*", re.ASCII)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody from finance says that the file must come to. Amounts in fen."""

    rows: int
    principal: int
    bonus: int
    points: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for at the command line."""

    file: Path
    kind: ImportKind
    brand: str | None
    store: str | None
    dry_run: bool
    skip_faulty: bool
    source: str = ""
    totals: Totals | None = None
    finance: str | None = None
    password: str = ""


def parse_totals(text: str) -> Totals | None:
    """Read `rows=100,principal=2000.00,bonus=0,points=5`, in yuan; None if it is not that."""
    named: dict[str, int] = {}
    for part in text.split(","):
        match = _TOTAL.fullmatch(part)
        if match is None or match[1] in named:
            return None
        is_money = match[1] in {"principal", "bonus"}
        try:
            named[match[1]] = parse_yuan(match[2]) if is_money else int(match[2])
        except ValueError:
            return None
    return Totals(**named) if len(named) == 4 else None


class Importing:
    """The steps of one import."""

    def __init__(self, runtime: Runtime, speech: Speech, order: Order) -> None:
        """Prepare a runner that tells how far it is."""
        self._runtime = runtime
        self._speech = speech
        self._order = order
        self._brand_id = BrandId(UUID(int=0))
        self._runner = ImportRunner(
            sessions=runtime.sessions,
            seal=runtime.seal,
            clock=runtime.clock,
            names=names_of([speech.words.table("imports", one) for one in LANGUAGES]),
            tell=self._tell,
        )

    async def run(self) -> int:
        """Return the exit status: 0 when nothing is wrong with the file."""
        try:
            finance_id = await self._authenticate()
            received = await self._receive()
            one = await self._check(received)
            return await self._go_on(one, received, finance_id)
        finally:
            await self._runtime.engine.dispose()

    async def _authenticate(self) -> UUID | None:
        if self._order.finance is None or self._order.totals is None:
            return None
        door = FrontDoor(
            sessions=self._runtime.sessions,
            seal=self._runtime.seal,
            clock=self._runtime.clock,
        )
        signed_in = await door.sign_in_to_console(
            login=self._order.finance, password=self._order.password
        )
        async with transaction(self._runtime.sessions) as tx:
            await end_session(
                tx,
                self._runtime.seal.hash_of(signed_in.session_token, use="session"),
                now=self._runtime.clock.now(),
            )
        return signed_in.staff_id

    async def _receive(self) -> Received:
        order = self._order
        try:
            file = order.file.open("rb")
        except OSError as error:
            self._refuse("file_unreadable", file=order.file.name, reason=error.strerror or "?")
        with file:
            examined = examine(file, bytes_max=self._runtime.settings.import_bytes_max)
            async with transaction(self._runtime.sessions) as tx:
                return await self._keep(tx, file, examined)

    async def _keep(self, tx: Tx, file: IO[bytes], examined: Examined) -> Received:
        order, now = self._order, self._runtime.clock.now()
        brand = await choose_brand(tx, order.brand, new=None, speech=self._speech, now=now)
        self._brand_id = BrandId(brand.id)
        store = None
        if order.store is not None:
            store = await choose_store(tx, order.store, brand=brand, speech=self._speech)
        return await receive_import(
            tx,
            ReceiveImport(
                brand_id=self._brand_id,
                kind=order.kind,
                file_name=order.file.name,
                file_bytes=examined.file_bytes,
                sha256=examined.sha256,
                store_id=store.id if store else None,
                source=order.source,
                by=None,
                now=now,
            ),
            pieces_of(file),
        )

    async def _check(self, received: Received) -> ImportView:
        one = await self._view(received.import_id)
        while one.status is ImportStatus.UPLOADED:
            try:
                await self._runner.check(one.id)
            except ImportNotReady:
                # The background got there first.
                await asyncio.sleep(WAIT_SECONDS)
            one = await self._view(one.id)
            self._tell("reading", one.bytes_read, one.file_bytes)
        self._end_line()
        return one

    async def _go_on(self, one: ImportView, received: Received, finance_id: UUID | None) -> int:
        if one.status is ImportStatus.UNREADABLE:
            self._refuse("unreadable", reason=self._problem(one))
        await self._report(one)
        order = self._order
        if order.dry_run:
            if not received.is_replay:
                async with transaction(self._runtime.sessions) as tx:
                    await withdraw_import(
                        tx,
                        import_id=one.id,
                        brand_id=self._brand_id,
                        by=None,
                        now=self._runtime.clock.now(),
                    )
            self._say("dry_run")
            return 1 if one.faulty_count else 0
        if one.faulty_count and not order.skip_faulty:
            self._refuse("has_faults", count=one.faulty_count)
        if order.kind is ImportKind.CARDS and order.totals is None:
            self._say("waiting", id=one.id)
            return 0
        await self._write(one, finance_id)
        return 0

    async def _write(self, one: ImportView, finance_id: UUID | None) -> None:
        totals = self._order.totals
        async with transaction(self._runtime.sessions) as tx:
            await confirm_import(
                tx,
                ConfirmImport(
                    import_id=one.id,
                    brand_id=self._brand_id,
                    row_count=totals.rows if totals else one.good_count,
                    principal_fen=totals.principal if totals else one.principal_fen,
                    bonus_fen=totals.bonus if totals else one.bonus_fen,
                    points=totals.points if totals else one.points,
                    skips_faulty=self._order.skip_faulty,
                    by=finance_id,
                    now=self._runtime.clock.now(),
                ),
            )
        while (one := await self._view(one.id)).status is ImportStatus.CONFIRMED:
            try:
                await self._runner.carry(one.id, row_count=one.good_count)
            except ImportNotReady:
                # The background holds this batch; the next may be ours.
                await asyncio.sleep(WAIT_SECONDS)
        self._end_line()
        self._say("done", count=one.done_count, id=one.id)
        if one.left_out_count:
            self._say("left_out", count=one.left_out_count)

    async def _view(self, import_id: UUID) -> ImportView:
        async with transaction(self._runtime.sessions) as tx:
            return await get_import(tx, import_id, brand_id=self._brand_id)

    async def _report(self, one: ImportView) -> None:
        async with transaction(self._runtime.sessions) as tx:
            faults = await list_faults(tx, one.id, limit=FAULTS_SHOWN)
        words, language = self._speech.words, self._speech.language
        self._say("form", form=form_text(words, one.form or {}, language=language))
        ignored = (one.form or {}).get("ignored")
        if ignored:
            self._say("ignored", columns=", ".join(ignored))
        for fault in faults:
            click.echo(f"  {fault_text(words, one.kind, fault, language=language)}")
        if one.faulty_count > len(faults):
            self._say("faults_more", count=FAULTS_KEPT)
        self._say("rows", rows=one.row_count, good=one.good_count, faulty=one.faulty_count)
        self._say(
            "card_totals" if one.kind is ImportKind.CARDS else "purchase_totals",
            principal=format_yuan(one.principal_fen),
            bonus=format_yuan(one.bonus_fen),
            points=one.points,
        )

    def _problem(self, one: ImportView) -> str:
        words, language = self._speech.words, self._speech.language
        parts = [
            words.find(f"errors.{one.problem}.{part}", language, **one.problem_detail)
            for part in ("title", "action")
        ]
        return " ".join(part for part in parts if part)

    def _tell(self, phase: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            percent = done * 100 // total if total else 0
            click.echo(f"\r{self._words(phase)} {min(percent, 100):3d} %", nl=False, err=True)

    def _end_line(self) -> None:
        if sys.stderr.isatty():
            click.echo("\r\033[K", nl=False, err=True)

    def _words(self, key: str, **values: object) -> str:
        return self._speech.words.text(f"imports.said.{key}", self._speech.language, **values)

    def _say(self, key: str, **values: object) -> None:
        click.echo(self._words(key, **values))

    def _refuse(self, key: str, **values: object) -> NoReturn:
        raise click.ClickException(self._words(key, **values))

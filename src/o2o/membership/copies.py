"""Makes the copies of members' data that were asked for, as an errand of the relay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from o2o.infra.aside import compute_aside
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.membership.actions.keep_export import keep_export
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries.exports import ToldTable, find_wanted_export, read_tables
from o2o.membership.queries.personal_data import get_person
from o2o.membership.rules.export_files import (
    TableCopy,
    csv_text,
    json_bytes,
    shown,
    zip_files,
)
from o2o.notifications.actions.tell_member import SERVICE_DONE, ZONE, tell_member
from o2o.stores.queries import get_brand
from o2o.web.copy import Words
from o2o.web.pages import Pages


class CopyMaker:
    """One per relay."""

    def __init__(self, *, sessions: SessionFactory, seal: Seal, clock: Clock, words: Words) -> None:
        """Read through `sessions`, name tables and columns by `words`."""
        self._sessions = sessions
        self._seal = seal
        self._clock = clock
        self._words = words
        self._pages = Pages(words)

    async def build_export(self, payload: dict[str, Any]) -> None:
        """Make one copy and tell its member. Done already, or deleted meanwhile: nothing."""
        export_id = UUID(payload["export_id"])
        now = self._clock.now()
        async with transaction(self._sessions) as tx:
            wanted = await find_wanted_export(tx, export_id)
            if wanted is None:
                return
            try:
                person = await get_person(tx, wanted.member_id)
            except MemberNotFound:
                return
            brand = await get_brand(tx, person.brand_id)
            told = await read_tables(tx, person)
        name = brand.name_en if wanted.language == "en" else brand.name
        content = await compute_aside(
            self._pack, told, language=wanted.language, brand_name=name, at=now
        )
        async with transaction(self._sessions) as tx:
            member_id = await keep_export(
                tx, export_id=export_id, content=content, seal=self._seal, now=now
            )
            if member_id is not None:
                await self._tell(tx, export_id=export_id, member_id=member_id, now=now)

    async def _tell(self, tx: Tx, *, export_id: UUID, member_id: UUID, now: datetime) -> None:
        await tell_member(
            tx,
            purpose=SERVICE_DONE,
            member_id=member_id,
            values={
                "service": self._words.text("privacy_told.export"),
                "result": self._words.text("privacy_told.export_ready"),
                "at": now.astimezone(ZONE),
            },
            page="privacy/export",
            client_msg_id=export_id.hex,
            now=now,
        )

    def _pack(
        self, told: list[ToldTable], *, language: str, brand_name: str, at: datetime
    ) -> bytes:
        tables = [self._worded(table, language) for table in told if table.rows]
        page = self._pages.render(
            "diner/export_file.html",
            language=language,
            brand_name=brand_name,
            at=at,
            words=self._words,
            tables=tables,
            shown=shown,
        )
        files = {
            "index.html": page.encode(),
            "data.json": json_bytes(tables, head={"brand": brand_name, "made_at": at}),
        }
        files |= {f"tables/{table.name}.csv": csv_text(table).encode() for table in tables}
        return zip_files(files, at=at)

    def _worded(self, table: ToldTable, language: str) -> TableCopy:
        return TableCopy(
            name=table.name,
            title=self._words.text(f"data_export.tables.{table.name}", language),
            columns=table.columns,
            labels=tuple(
                self._words.text(f"data_export.columns.{column}", language)
                for column in table.columns
            ),
            rows=table.rows,
            is_cut=table.is_cut,
        )

"""Copies of a member's data: what is asked for, and the rows that go into one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import ExportStatus
from o2o.infra.database import Tx
from o2o.membership.queries.personal_data import KNOWLEDGE, Person, person_values

# Of one table; a copy that leaves rows out says so.
ROWS_MAX = 20_000


class ExportView(msgspec.Struct, frozen=True, kw_only=True):
    """A copy as its member sees it."""

    id: UUID
    status: ExportStatus
    requested_at: datetime
    expires_at: datetime | None
    size_bytes: int | None


class WantedExport(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that is to be made."""

    id: UUID
    member_id: UUID
    account_id: UUID
    language: str


class ToldTable(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one table about one person."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    is_cut: bool


_LATEST = text(
    "SELECT id, CASE WHEN status = 'ready' AND expires_at <= :now THEN 'expired' ELSE status END"
    " AS status, requested_at, expires_at, size_bytes FROM data_exports"
    " WHERE member_id = :member_id ORDER BY requested_at DESC, id DESC LIMIT 1"
)
_WANTED = text(
    "SELECT id, member_id, account_id, language FROM data_exports"
    " WHERE id = :id AND status = 'requested'"
)


async def find_latest_export(tx: Tx, member_id: UUID, *, now: datetime) -> ExportView | None:
    """Return the copy a member asked for last."""
    row = (await tx.execute(_LATEST, {"member_id": member_id, "now": now})).first()
    if row is None:
        return None
    return ExportView(
        id=row.id,
        status=ExportStatus(row.status),
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        size_bytes=row.size_bytes,
    )


async def find_wanted_export(tx: Tx, export_id: UUID) -> WantedExport | None:
    """Return a copy that is still to be made."""
    row = (await tx.execute(_WANTED, {"id": export_id})).first()
    if row is None:
        return None
    return WantedExport(
        id=row.id, member_id=row.member_id, account_id=row.account_id, language=row.language
    )


async def read_tables(tx: Tx, person: Person) -> list[ToldTable]:
    """Return everything that is known about a person, table by table; tables without rows too."""
    values = person_values(person) | {"most": ROWS_MAX + 1}
    told = []
    for knowledge in KNOWLEDGE:
        if knowledge.given:
            result = await tx.execute(text(knowledge.rows_sql), values)
            rows = [tuple(row) for row in result]
            told.append(
                ToldTable(
                    name=knowledge.table,
                    columns=tuple(result.keys()),
                    rows=rows[:ROWS_MAX],
                    is_cut=len(rows) > ROWS_MAX,
                )
            )
    return told

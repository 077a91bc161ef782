"""Reads of imports: how far each is, what it would bring, what is wrong with its rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.imports import Import, ImportChunk
from o2o.crm.organisation import Store, Tier
from o2o.crm.staff import StaffMember
from o2o.crm.statuses import ImportKind, ImportStatus, StaffRoleName
from o2o.infra.database import Tx
from o2o.membership.errors_imports import ImportNotFound
from o2o.membership.imports.faults import FAULTS_KEPT, Fault
from o2o.membership.imports.headers import folded
from o2o.membership.imports.rows import Known
from o2o.staff.queries import RolesOf

LIST_MAX = 100
PROPOSERS = frozenset({StaffRoleName.MARKETER, StaffRoleName.MANAGER})
READERS = PROPOSERS | {StaffRoleName.FINANCE, StaffRoleName.AUDITOR}


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """An import as its page shows it. Amounts in fen."""

    id: UUID
    brand_id: UUID
    kind: ImportKind
    status: ImportStatus
    file_name: str
    file_bytes: int
    sha256: str
    store_id: UUID | None
    store_name: str | None
    source: str
    uploaded_by: UUID | None
    # None is the terminal.
    uploaded_by_name: str | None
    uploaded_at: datetime
    bytes_read: int
    form: dict[str, Any] | None
    problem: str | None
    problem_detail: dict[str, Any]
    checked_at: datetime | None
    row_count: int
    faulty_count: int
    principal_fen: int
    bonus_fen: int
    points: int
    confirmed_by_name: str | None
    confirmed_at: datetime | None
    done_count: int
    left_out_count: int
    ended_at: datetime | None
    emptied_at: datetime | None

    @property
    def good_count(self) -> int:
        """How many rows would be or were to be carried over."""
        return self.row_count - self.faulty_count

    @property
    def is_under_way(self) -> bool:
        """Whether something happens to it in the background."""
        return self.status in {ImportStatus.UPLOADED, ImportStatus.CONFIRMED}

    @property
    def percent(self) -> int:
        """How far what is under way has come; unpacking may read a file more than once."""
        if self.status is ImportStatus.CONFIRMED:
            return (self.done_count + self.left_out_count) * 100 // max(self.good_count, 1)
        return min(99, self.bytes_read * 100 // max(self.file_bytes, 1))


_UPLOADER = StaffMember.__table__.alias("uploader")
_CONFIRMER = StaffMember.__table__.alias("confirmer")


def _views() -> Any:
    return (
        select(
            Import,
            Store.name.label("store_name"),
            _UPLOADER.c.name.label("uploaded_by_name"),
            _CONFIRMER.c.name.label("confirmed_by_name"),
        )
        .outerjoin(Store, Store.id == Import.store_id)
        .outerjoin(_UPLOADER, _UPLOADER.c.id == Import.uploaded_by)
        .outerjoin(_CONFIRMER, _CONFIRMER.c.id == Import.confirmed_by)
    )


def _view(row: Any) -> ImportView:
    one: Import = row.Import
    names = set(ImportView.__struct_fields__)
    kept = {name: getattr(one, name) for name in names if hasattr(one, name)}
    kept |= {"sha256": one.sha256.hex(), "problem_detail": one.problem_detail or {}}
    return ImportView(
        **kept,
        store_name=row.store_name,
        uploaded_by_name=row.uploaded_by_name,
        confirmed_by_name=row.confirmed_by_name,
    )


async def get_import(tx: Tx, import_id: UUID, *, brand_id: UUID) -> ImportView:
    """Return an import of the brand. Raises ImportNotFound."""
    wanted = _views().where(Import.id == import_id, Import.brand_id == brand_id)
    row = (await tx.execute(wanted)).first()
    if row is None:
        raise ImportNotFound
    return _view(row)


async def list_imports(
    tx: Tx, *, brand_id: UUID, uploaded_by: UUID | None = None
) -> list[ImportView]:
    """Return the newest imports of a brand, or those that one person brought."""
    wanted = _views().where(Import.brand_id == brand_id)
    if uploaded_by is not None:
        wanted = wanted.where(Import.uploaded_by == uploaded_by)
    rows = await tx.execute(wanted.order_by(Import.uploaded_at.desc(), Import.id).limit(LIST_MAX))
    return [_view(row) for row in rows]


async def find_same_file(
    tx: Tx, *, brand_id: UUID, kind: ImportKind, sha256: bytes
) -> Import | None:
    """Return the import that the same bytes made, unless it was taken back."""
    found: Import | None = await tx.scalar(
        select(Import).where(
            Import.brand_id == brand_id,
            Import.kind == kind,
            Import.sha256 == sha256,
            Import.status.not_in([ImportStatus.WITHDRAWN, ImportStatus.UNREADABLE]),
        )
    )
    return found


async def lock_import(tx: Tx, import_id: UUID, *, brand_id: UUID | None = None) -> Import:
    """Return an import, locked until the transaction ends. Raises ImportNotFound."""
    wanted = select(Import).where(Import.id == import_id)
    if brand_id is not None:
        wanted = wanted.where(Import.brand_id == brand_id)
    found: Import | None = await tx.scalar(wanted.with_for_update())
    if found is None:
        raise ImportNotFound
    return found


_DUE = text(
    "SELECT id, status FROM imports"
    " WHERE (status = 'confirmed' OR (status = 'uploaded'"
    " AND (leased_until IS NULL OR leased_until < :now)))"
    " AND NOT (id = ANY(CAST(:passed_over AS uuid[])))"
    " ORDER BY uploaded_at, id LIMIT 1"
)


async def find_due_import(
    tx: Tx, *, now: datetime, passed_over: Sequence[UUID] = ()
) -> tuple[UUID, ImportStatus] | None:
    """Return the oldest import for which something is to be done and nobody is at it."""
    row = (await tx.execute(_DUE, {"now": now, "passed_over": list(passed_over)})).first()
    return (row.id, ImportStatus(row.status)) if row else None


async def find_chunk(tx: Tx, import_id: UUID, position: int) -> bytes | None:
    """Return a piece of a file, None past its end."""
    content: bytes | None = await tx.scalar(
        select(ImportChunk.content).where(
            ImportChunk.import_id == import_id, ImportChunk.position == position
        )
    )
    return content


async def get_known(tx: Tx, one: Import, *, roles: RolesOf | None, now: datetime) -> Known:
    """Return what rows may refer to. `roles` are the uploader's; None is the terminal, for all."""
    tiers = (
        await tx.execute(
            select(Tier.id, Tier.code, Tier.name)
            .where(Tier.brand_id == one.brand_id)
            .order_by(Tier.rank)
        )
    ).all()
    rows = (
        await tx.execute(
            select(Store.id, Store.code, Store.name).where(Store.brand_id == one.brand_id)
        )
    ).all()
    covered = covered_stores(roles)
    stores: dict[str, UUID] = {}
    others: set[str] = set()
    for row in rows:
        for word in (row.code, row.name):
            if covered is None or row.id in covered:
                stores[folded(word)] = row.id
            else:
                others.add(folded(word))
    return Known(
        tiers={folded(word): row.id for row in tiers for word in (row.code, row.name)},
        lowest_tier_id=tiers[0].id,
        stores=stores,
        other_stores=frozenset(others - stores.keys()),
        default_store_id=one.store_id,
        today=now.date(),
    )


def covered_stores(
    roles: RolesOf | None, *, of: frozenset[StaffRoleName] = PROPOSERS
) -> frozenset[UUID] | None:
    """Return the stores that roles cover; None is all of the brand."""
    if roles is None:
        return None
    covered: frozenset[UUID] = frozenset()
    for role in of:
        stores = roles.get(role, frozenset())
        if stores is None:
            return None
        covered |= stores
    return covered


_FAULTS = text(
    "SELECT line, field, code, value, detail FROM ("
    " SELECT line, position, field, code, value, detail FROM import_faults"
    " WHERE import_id = :id"
    " UNION ALL (SELECT line, 0, CASE WHEN fault LIKE 'phone%' THEN 'phone' ELSE 'card_no' END,"
    " fault, CASE WHEN fault LIKE 'phone%' THEN phone ELSE card_no END,"
    " coalesce(fault_detail, '') FROM import_card_rows"
    " WHERE import_id = :id AND fault IS NOT NULL ORDER BY line LIMIT :limit)"
    " UNION ALL (SELECT line, 0,"
    " CASE WHEN fault LIKE 'bill%' THEN 'external_id' ELSE 'card_no' END, fault,"
    " CASE WHEN fault LIKE 'bill%' THEN external_id ELSE coalesce(card_no, phone) END,"
    " coalesce(fault_detail, '') FROM import_purchase_rows"
    " WHERE import_id = :id AND fault <> 'unreadable' ORDER BY line LIMIT :limit)"
    ") f ORDER BY line, position LIMIT :limit"
)


async def list_faults(tx: Tx, import_id: UUID, *, limit: int = FAULTS_KEPT) -> list[Fault]:
    """Return the first faults of an import's rows, in the order of lines."""
    rows = await tx.execute(_FAULTS, {"id": import_id, "limit": limit})
    return [Fault(row.line, row.field, row.code, row.value or "", row.detail) for row in rows]


async def list_store_ids(tx: Tx, import_id: UUID) -> set[UUID]:
    """Return the stores in whose books an import's good rows would be entered."""
    rows = await tx.execute(
        text(
            "SELECT DISTINCT store_id FROM import_card_rows"
            " WHERE import_id = :id AND fault IS NULL"
            " UNION SELECT DISTINCT store_id FROM import_purchase_rows"
            " WHERE import_id = :id AND fault IS NULL"
        ),
        {"id": import_id},
    )
    return {row.store_id for row in rows}

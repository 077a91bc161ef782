"""Receive a file that is to be imported: kept in pieces for the checking, the same bytes once."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.imports import Import
from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.audit import SYSTEM, Actor, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.infra.outbox import Errand, send
from o2o.kernel.ids import BrandId, new_id
from o2o.kernel.text import without_controls
from o2o.membership.errors_imports import ImportAlreadyDone
from o2o.membership.queries.imports import PROPOSERS, covered_stores, find_same_file
from o2o.staff.queries import list_roles
from o2o.stores.queries import get_store
from o2o.web.errors import RoleMissing

# Performed by whoever runs imports in the background; one that is told twice looks and finds none.
TOPIC = "membership.run_imports"
FILE_NAME_CHARS_MAX = 120


class ReceiveImport(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its SHA-256; `by` is None at the terminal."""

    brand_id: BrandId
    kind: ImportKind
    file_name: str
    file_bytes: int
    sha256: bytes
    store_id: UUID | None
    source: str
    by: UUID | None
    now: datetime


class Received(msgspec.Struct, frozen=True):
    """The import that the file is."""

    import_id: UUID
    is_replay: bool


async def receive_import(tx: Tx, command: ReceiveImport, pieces: Iterable[bytes]) -> Received:
    """Keep a file; one that waits to be checked or confirmed is answered with what it is already.

    Raises RoleMissing, StoreNotFound, ImportAlreadyDone.
    """
    await _check_uploader(tx, command)
    await lock_names(tx, f"import:{command.brand_id}:{command.sha256.hex()}")
    earlier = await find_same_file(
        tx, brand_id=command.brand_id, kind=command.kind, sha256=command.sha256
    )
    if earlier is not None:
        if earlier.status in {ImportStatus.CONFIRMED, ImportStatus.DONE}:
            raise ImportAlreadyDone(import_id=str(earlier.id))
        return Received(earlier.id, is_replay=True)
    import_id = new_id()
    tx.add(_row(import_id, command))
    await tx.flush()
    for position, piece in enumerate(pieces):
        await tx.execute(
            text("INSERT INTO import_chunks (import_id, position, content) VALUES (:id, :at, :it)"),
            {"id": import_id, "at": position, "it": piece},
        )
    await note(
        tx,
        actor=Actor("staff", command.by) if command.by else SYSTEM,
        action="import.uploaded",
        at=command.now,
        subject=("import", import_id),
        store_id=command.store_id,
        kind=command.kind.value,
        sha256=command.sha256.hex(),
        file_bytes=command.file_bytes,
    )
    await send(tx, [Errand(topic=TOPIC, payload={})], now=command.now)
    return Received(import_id, is_replay=False)


async def _check_uploader(tx: Tx, command: ReceiveImport) -> None:
    if command.store_id is not None:
        store = await get_store(tx, command.store_id)
        if store.brand_id != command.brand_id:
            raise RoleMissing
    if command.by is None:
        return
    roles = (await list_roles(tx, [command.by]))[command.by]
    covered = covered_stores(roles)
    if not PROPOSERS & roles.keys():
        raise RoleMissing
    if covered is not None and command.store_id is not None and command.store_id not in covered:
        raise RoleMissing


def _row(import_id: UUID, command: ReceiveImport) -> Import:
    name = without_controls(command.file_name.replace("\\", "/").rpartition("/")[2])
    return Import(
        id=import_id,
        brand_id=command.brand_id,
        kind=command.kind,
        status=ImportStatus.UPLOADED,
        file_name=name[-FILE_NAME_CHARS_MAX:] or command.kind.value,
        file_bytes=command.file_bytes,
        sha256=command.sha256,
        store_id=command.store_id,
        source=command.source,
        uploaded_by=command.by,
        uploaded_at=command.now,
    )

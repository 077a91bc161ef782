"""Confirm an import: a second person names its totals, from the chain's own books; or take it back.

Who brought a file never confirms it, whatever roles they have; the table refuses it as well.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import update

from o2o.crm.imports import Import
from o2o.crm.statuses import ImportKind, ImportStatus, StaffRoleName
from o2o.infra.audit import SYSTEM, Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import Errand, send
from o2o.kernel.ids import BrandId
from o2o.membership.actions.import_receive import TOPIC
from o2o.membership.errors_imports import (
    ImportAlreadyDone,
    ImportBySamePerson,
    ImportHasFaults,
    ImportNothingToDo,
    ImportNotReady,
    ImportTotalsDiffer,
)
from o2o.membership.imports.moves import IMPORT_MOVES
from o2o.membership.queries.imports import PROPOSERS, covered_stores, list_store_ids, lock_import
from o2o.staff.queries import list_roles
from o2o.web.errors import RoleMissing

FINANCE = frozenset({StaffRoleName.FINANCE})


class ConfirmImport(msgspec.Struct, frozen=True, kw_only=True):
    """The totals of the rows to be carried over. Amounts in fen; of bills only rows and amount."""

    import_id: UUID
    brand_id: BrandId
    row_count: int
    principal_fen: int
    bonus_fen: int
    points: int
    # Rows with faults are left out, knowingly.
    skips_faulty: bool
    # None at the terminal, which confirms bills but never balances.
    by: UUID | None
    now: datetime


async def confirm_import(tx: Tx, command: ConfirmImport) -> None:
    """Let the rows be carried over; twice the same is once.

    Raises ImportNotFound, RoleMissing, ImportBySamePerson, ImportNotReady, ImportAlreadyDone,
    ImportHasFaults, ImportNothingToDo, ImportTotalsDiffer.
    """
    one = await lock_import(tx, command.import_id, brand_id=command.brand_id)
    await _check_person(tx, one, command)
    if one.status in {ImportStatus.CONFIRMED, ImportStatus.DONE}:
        raise ImportAlreadyDone(import_id=str(one.id))
    if one.status is not ImportStatus.CHECKED:
        raise ImportNotReady(status=one.status.value)
    if one.faulty_count and not command.skips_faulty:
        raise ImportHasFaults(faulty_count=one.faulty_count)
    if one.row_count == one.faulty_count:
        raise ImportNothingToDo
    _check_totals(one, command)
    IMPORT_MOVES.check(one.status, ImportStatus.CONFIRMED)
    await _set(tx, one, ImportStatus.CONFIRMED, confirmed_by=command.by, confirmed_at=command.now)
    await note(
        tx,
        actor=Actor("staff", command.by) if command.by else SYSTEM,
        action="import.confirmed",
        at=command.now,
        subject=("import", one.id),
        sha256=one.sha256.hex(),
        rows=command.row_count,
        principal_fen=command.principal_fen,
        bonus_fen=command.bonus_fen,
        points=command.points,
        left_out=one.faulty_count,
    )
    await send(tx, [Errand(topic=TOPIC, payload={})], now=command.now)


async def withdraw_import(
    tx: Tx, *, import_id: UUID, brand_id: BrandId, by: UUID | None, now: datetime
) -> None:
    """Take a file back before it was confirmed. Raises ImportNotFound, RoleMissing, ImportNotReady.

    Whoever brought it may, and anybody who may confirm it.
    """
    one = await lock_import(tx, import_id, brand_id=brand_id)
    if by is not None and by != one.uploaded_by:
        roles = (await list_roles(tx, [by]))[by]
        if StaffRoleName.FINANCE not in roles:
            raise RoleMissing
    if one.status not in IMPORT_MOVES.sources_of(ImportStatus.WITHDRAWN):
        raise ImportNotReady(status=one.status.value)
    await _set(tx, one, ImportStatus.WITHDRAWN, ended_at=now, leased_until=None)
    await note(
        tx,
        actor=Actor("staff", by) if by else SYSTEM,
        action="import.withdrawn",
        at=now,
        subject=("import", one.id),
    )


async def _check_person(tx: Tx, one: Import, command: ConfirmImport) -> None:
    if command.by is None:
        if one.kind is ImportKind.CARDS:
            raise RoleMissing
        return
    roles = (await list_roles(tx, [command.by]))[command.by]
    wanted = FINANCE if one.kind is ImportKind.CARDS else FINANCE | PROPOSERS
    if not wanted & roles.keys():
        raise RoleMissing
    if one.kind is ImportKind.CARDS and command.by == one.uploaded_by:
        raise ImportBySamePerson
    covered = covered_stores(roles, of=wanted)
    if covered is not None and not await list_store_ids(tx, one.id) <= covered:
        raise RoleMissing


def _check_totals(one: Import, command: ConfirmImport) -> None:
    named = {
        "row_count": (command.row_count, one.row_count - one.faulty_count),
        "principal_fen": (command.principal_fen, one.principal_fen),
        "bonus_fen": (command.bonus_fen, one.bonus_fen),
        "points": (command.points, one.points),
    }
    differing = [field for field, (told, found) in named.items() if told != found]
    if differing:
        raise ImportTotalsDiffer(fields=differing)


async def _set(tx: Tx, one: Import, to: ImportStatus, **values: object) -> None:
    await tx.execute(
        update(Import)
        .where(Import.id == one.id, Import.status.in_(IMPORT_MOVES.sources_of(to)))
        .values(status=to, **values)
    )

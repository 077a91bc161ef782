"""Carry the next batch of a confirmed import over, whoever was at it before."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from o2o.crm.imports import Import
from o2o.crm.organisation import Brand
from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.membership.actions.import_carry_cards import carry_cards
from o2o.membership.actions.import_carry_purchases import carry_purchases
from o2o.membership.imports.moves import IMPORT_MOVES

CARDS_AT_ONCE = 2_500
BILLS_AT_ONCE = 1_000

# Another worker that holds the row is at the batch: there is nothing to do for us.
_TAKE = (
    select(Import).where(Import.status == ImportStatus.CONFIRMED).with_for_update(skip_locked=True)
)


class Carried(msgspec.Struct, frozen=True):
    """How far an import has come; None of it when another is at it."""

    done_count: int
    left_out_count: int
    is_done: bool


async def carry_batch(tx: Tx, import_id: UUID, *, now: datetime) -> Carried | None:
    """Carry the next rows over and move the cursor with them; the last batch ends the import."""
    one: Import | None = await tx.scalar(_TAKE.where(Import.id == import_id))
    if one is None:
        return None
    # Two files of one brand may name the same phone, for which there is no unique key.
    await lock_names(tx, f"import:{one.brand_id}")
    if one.kind is ImportKind.CARDS:
        prefix = await tx.scalar(select(Brand.card_prefix).where(Brand.id == one.brand_id))
        done, left_out, is_done = await carry_cards(
            tx, one, card_prefix=str(prefix), limit=CARDS_AT_ONCE, now=now
        )
    else:
        done, left_out, is_done = await carry_purchases(tx, one, limit=BILLS_AT_ONCE)
    one.done_count += done
    one.left_out_count += left_out
    await tx.flush()
    if is_done:
        await _finish(tx, one, now=now)
    return Carried(one.done_count, one.left_out_count, is_done)


async def _finish(tx: Tx, one: Import, *, now: datetime) -> None:
    await tx.execute(
        update(Import)
        .where(
            Import.id == one.id,
            Import.status.in_(IMPORT_MOVES.sources_of(ImportStatus.DONE)),
        )
        .values(status=ImportStatus.DONE, ended_at=now)
    )
    await note(
        tx,
        actor=SYSTEM,
        action="import.done",
        at=now,
        subject=("import", one.id),
        sha256=one.sha256.hex(),
        rows=one.done_count,
        left_out=one.left_out_count,
    )

"""Carry the next batch of a confirmed import over, whoever was at it before.

Cards go in two lanes, because one connection keeps one processor of the server busy: each carries
a stretch of rows of its own, and when all is written waits for its turn. Only then does it take
the brand and the import for itself, see that the cursor stands where its stretch begins, and move
it. A stretch whose turn never comes is undone as a whole. No lane may wait for what another writes
while that waits for its turn: each draws its card numbers from a share of its own.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from o2o.crm.imports import Import
from o2o.crm.organisation import Brand
from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names, try_lock_name
from o2o.membership.actions.import_carry_cards import (
    Numbers,
    Stretch,
    carry_cards,
    is_overtaken,
    next_stretches,
    open_books,
)
from o2o.membership.actions.import_carry_purchases import carry_purchases
from o2o.membership.errors_imports import ImportNotReady
from o2o.membership.imports.moves import IMPORT_MOVES

LANES = 2
# Stretches that are looked for together: at the last of them a lane has nothing to go on with.
PLANNED = 32
CARDS_AT_ONCE = 2_500
BILLS_AT_ONCE = 1_000

# Another worker that holds the row is at the batch: there is nothing to do for us.
_TAKE = (
    select(Import)
    .where(Import.status == ImportStatus.CONFIRMED)
    .with_for_update(skip_locked=True)
    .execution_options(populate_existing=True)
)


class Carried(msgspec.Struct, frozen=True):
    """How far an import has come; None of it when another is at it."""

    done_count: int
    left_out_count: int
    is_done: bool


class Overtaken(Exception):
    """Somebody else came to have a phone of this stretch; nothing of it was kept."""


async def plan_lanes(tx: Tx, import_id: UUID, *, now: datetime) -> list[Stretch] | None:
    """Return what lanes may carry over side by side, nothing where `carry_batch` does it alone.

    None when another is at the import.
    """
    one: Import | None = await tx.scalar(_TAKE.where(Import.id == import_id))
    if one is None:
        return None
    if one.kind is not ImportKind.CARDS:
        return []
    stretches = await next_stretches(tx, one, limit=CARDS_AT_ONCE, most=PLANNED)
    if len(stretches) < LANES:
        return []
    if one.cursor_line == 0:
        await open_books(tx, one, now=now)
    return stretches


async def carry_stretch(
    tx: Tx,
    import_id: UUID,
    stretch: Stretch,
    *,
    lane: int,
    turn: Callable[[], Awaitable[object]],
    now: datetime,
) -> Carried:
    """Carry a stretch over beside others; `turn` returns when all before it are kept.

    Raises ImportNotReady when another is at the import, Overtaken: `carry_batch` does better.
    """
    one = await tx.get_one(Import, import_id)
    if not await try_lock_name(tx, f"import:{import_id}:{lane}"):
        raise ImportNotReady(status="taken")
    prefix = await _card_prefix(tx, one)
    numbers = Numbers(prefix, share=lane, of=LANES)
    done, left_out = await carry_cards(tx, one, stretch, numbers=numbers, now=now)
    await turn()
    taken = await _take(tx, import_id, brand_id=one.brand_id)
    if taken is None or taken.cursor_line != stretch.cursor:
        raise ImportNotReady(status="taken")
    if await is_overtaken(tx, taken, stretch):
        raise Overtaken
    _count(taken, done, left_out)
    taken.cursor_line = stretch.last
    await tx.flush()
    return Carried(taken.done_count, taken.left_out_count, is_done=False)


async def carry_batch(tx: Tx, import_id: UUID, *, now: datetime) -> Carried | None:
    """Carry the next rows over and move the cursor with them; the last batch ends the import."""
    one: Import | None = await tx.scalar(_TAKE.where(Import.id == import_id))
    if one is None:
        return None
    # Two files of one brand may name the same phone, for which there is no unique key.
    await lock_names(tx, f"import:{one.brand_id}")
    if one.kind is ImportKind.CARDS:
        done, left_out, is_done = await _carry_cards(tx, one, now=now)
    else:
        done, left_out, is_done = await carry_purchases(tx, one, limit=BILLS_AT_ONCE)
    _count(one, done, left_out)
    await tx.flush()
    if is_done:
        await _finish(tx, one, now=now)
    return Carried(one.done_count, one.left_out_count, is_done)


async def _carry_cards(tx: Tx, one: Import, *, now: datetime) -> tuple[int, int, bool]:
    stretches = await next_stretches(tx, one, limit=CARDS_AT_ONCE, most=1)
    if not stretches:
        return 0, 0, True
    if one.cursor_line == 0:
        await open_books(tx, one, now=now)
    prefix = await _card_prefix(tx, one)
    done, left_out = await carry_cards(tx, one, stretches[0], numbers=Numbers(prefix), now=now)
    one.cursor_line = stretches[0].last
    return done, left_out, done + left_out < CARDS_AT_ONCE


async def _take(tx: Tx, import_id: UUID, *, brand_id: UUID) -> Import | None:
    await lock_names(tx, f"import:{brand_id}")
    one: Import | None = await tx.scalar(_TAKE.where(Import.id == import_id))
    return one


async def _card_prefix(tx: Tx, one: Import) -> str:
    return str(await tx.scalar(select(Brand.card_prefix).where(Brand.id == one.brand_id)))


def _count(one: Import, done: int, left_out: int) -> None:
    one.done_count += done
    one.left_out_count += left_out


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

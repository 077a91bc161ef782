"""Shifts at a till: opened at the first sign-in, counted and handed over, confirmed by the next."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import ShiftStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx, encode_json
from o2o.kernel.business_day import business_day
from o2o.kernel.ids import new_id
from o2o.membership.errors_counter import (
    CountMoved,
    DifferenceUnexplained,
    RemovedTooMuch,
    ShiftNotCounted,
    ShiftNotOpen,
)
from o2o.membership.moves_counter import SHIFT_MOVES
from o2o.membership.queries.counter import StoreFacts, list_store_facts
from o2o.membership.queries.shifts import (
    UNCOUNTED,
    ShiftView,
    find_closed_day,
    find_live_shift,
    get_shift,
    sum_counted,
    uncounted_of,
)
from o2o.membership.scanners import AtPad

# Openings and the closing of a day take turns.
_LOCK_STORE = text("SELECT id FROM stores WHERE id = :store_id FOR NO KEY UPDATE")
_OPEN = text(
    "INSERT INTO shifts"
    " (id, store_id, pad_id, business_on, status, opened_by, opened_at, float_fen)"
    " VALUES (:id, :store_id, :pad_id, :business_on, 'open', :staff_id, :now, :float_fen)"
    " ON CONFLICT (pad_id) WHERE status <> 'confirmed' DO NOTHING"
)
_LOCK = text(
    "SELECT float_fen FROM shifts WHERE id = :shift_id AND pad_id = :pad_id"
    " AND status = ANY(CAST(:from_statuses AS text[])) FOR UPDATE"
)
_COUNT_IN = text(
    "INSERT INTO shift_movements (transfer_id, shift_id)"  # noqa: S608 - our own text
    f" SELECT u.id, CAST(:shift_id AS uuid) FROM ({UNCOUNTED}) u"
)
_HAND_OVER = text(
    "UPDATE shifts SET status = 'counted', ended_by = :staff_id, ended_at = :now,"
    " expected_fen = :expected_fen, counted_fen = :counted_fen, removed_fen = :removed_fen,"
    " denominations = CAST(:denominations AS jsonb), difference_reason = :reason"
    " WHERE id = :shift_id"
)
_CONFIRM = text(
    "UPDATE shifts SET status = 'confirmed', confirmed_by = :staff_id, confirmed_at = :now"
    " WHERE id = :shift_id AND pad_id = :pad_id"
    " AND status = ANY(CAST(:from_statuses AS text[]))"
    " RETURNING counted_fen - removed_fen AS left_fen"
)


async def open_shift(tx: Tx, *, by: AtPad, now: datetime, float_fen: int = 0) -> ShiftView:
    """Return the shift of the pad, opened if there is none. Two at once open one."""
    live = await find_live_shift(tx, pad_id=by.pad_id)
    if live is not None:
        return live
    await tx.execute(_LOCK_STORE, {"store_id": by.store_id})
    store = (await list_store_facts(tx, {by.store_id}))[by.store_id]
    await tx.execute(
        _OPEN,
        {
            "id": new_id(),
            "store_id": by.store_id,
            "pad_id": by.pad_id,
            "business_on": await _day_to_work_in(tx, store, now=now),
            "staff_id": by.staff_id,
            "now": now,
            "float_fen": float_fen,
        },
    )
    live = await find_live_shift(tx, pad_id=by.pad_id)
    assert live is not None, "inserted, or somebody else's stood in the way"
    return live


async def _day_to_work_in(tx: Tx, store: StoreFacts, *, now: datetime) -> date:
    """Return the business day of now, or the next one where that was closed already."""
    day = business_day(now, hours=store.hours, timezone=store.timezone)
    while await find_closed_day(tx, store_id=store.store_id, business_on=day):
        day += timedelta(days=1)
    return day


async def hand_over_shift(
    tx: Tx,
    *,
    shift_id: UUID,
    by: AtPad,
    seen_fen: int,
    counted_fen: int,
    removed_fen: int = 0,
    denominations: Mapping[str, int] | None = None,
    reason: str = "",
    now: datetime,
) -> ShiftView:
    """End a shift with a cash count. `seen_fen` is the cash that the clerk was shown as expected.

    All that passed through the pad and was committed is counted in this shift; what is committed
    later, in the next. Raises ShiftNotOpen, CountMoved, DifferenceUnexplained, RemovedTooMuch.
    """
    asked = {
        "shift_id": shift_id,
        "pad_id": by.pad_id,
        "from_statuses": sorted(SHIFT_MOVES.sources_of(ShiftStatus.COUNTED)),
    }
    row = (await tx.execute(_LOCK, asked)).first()
    if row is None:
        raise ShiftNotOpen
    uncounted = await uncounted_of(tx, pad_id=by.pad_id, now=now)
    await tx.execute(_COUNT_IN, {"shift_id": shift_id, **uncounted})
    expected_fen = row.float_fen + (await sum_counted(tx, [shift_id])).cash_fen
    if expected_fen != seen_fen:
        raise CountMoved
    if counted_fen != expected_fen and not reason:
        raise DifferenceUnexplained(difference_fen=counted_fen - expected_fen)
    if not 0 <= removed_fen <= counted_fen:
        raise RemovedTooMuch
    await tx.execute(
        _HAND_OVER,
        {
            "shift_id": shift_id,
            "staff_id": by.staff_id,
            "now": now,
            "expected_fen": expected_fen,
            "counted_fen": counted_fen,
            "removed_fen": removed_fen,
            "denominations": encode_json(dict(denominations)) if denominations else None,
            "reason": reason if counted_fen != expected_fen else None,
        },
    )
    await note(
        tx,
        actor=Actor("staff", by.staff_id),
        action="shift.handed_over",
        at=now,
        subject=("shift", shift_id),
        store_id=by.store_id,
        expected_fen=expected_fen,
        counted_fen=counted_fen,
        removed_fen=removed_fen,
    )
    return await get_shift(tx, shift_id, store_id=by.store_id)


async def confirm_shift(tx: Tx, *, shift_id: UUID, by: AtPad, now: datetime) -> ShiftView:
    """Take over what was handed over: the next shift begins with the cash that is left.

    Of two at once one does. Raises ShiftNotCounted.
    """
    asked = {
        "shift_id": shift_id,
        "pad_id": by.pad_id,
        "staff_id": by.staff_id,
        "from_statuses": sorted(SHIFT_MOVES.sources_of(ShiftStatus.CONFIRMED)),
        "now": now,
    }
    row = (await tx.execute(_CONFIRM, asked)).first()
    if row is None:
        raise ShiftNotCounted
    await note(
        tx,
        actor=Actor("staff", by.staff_id),
        action="shift.confirmed",
        at=now,
        subject=("shift", shift_id),
        store_id=by.store_id,
        left_fen=row.left_fen,
    )
    return await open_shift(tx, by=by, now=now, float_fen=row.left_fen)

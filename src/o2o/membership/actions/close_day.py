"""Close a store's business day: its shifts were handed over, none is opened in it any more."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import ShiftStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.membership.errors_counter import DayClosed, DayHasOpenShifts, DayNotOver
from o2o.membership.queries.shifts import list_shifts_of_day

_LOCK_STORE = text("SELECT id FROM stores WHERE id = :store_id FOR NO KEY UPDATE")
_CLOSE = text(
    "INSERT INTO store_days (id, store_id, business_on, closed_by, closed_at)"
    " VALUES (:id, :store_id, :business_on, :staff_id, :now)"
    " ON CONFLICT (store_id, business_on) DO NOTHING RETURNING id"
)


async def close_day(
    tx: Tx, *, store_id: UUID, business_on: date, staff_id: UUID, now: datetime
) -> None:
    """Close a day, for ever. Whoever calls has made sure that it is a manager of the store.

    Raises DayNotOver where nobody worked, DayHasOpenShifts, DayClosed.
    """
    await tx.execute(_LOCK_STORE, {"store_id": store_id})
    shifts = await list_shifts_of_day(tx, store_id=store_id, business_on=business_on)
    if not shifts:
        raise DayNotOver
    still_open = [shift.pad_name for shift in shifts if shift.status is ShiftStatus.OPEN]
    if still_open:
        raise DayHasOpenShifts(pads=", ".join(still_open))
    closed = await tx.execute(
        _CLOSE,
        {
            "id": new_id(),
            "store_id": store_id,
            "business_on": business_on,
            "staff_id": staff_id,
            "now": now,
        },
    )
    if closed.first() is None:
        raise DayClosed(business_on=business_on)
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action="day.closed",
        at=now,
        subject=("store", store_id),
        store_id=store_id,
        business_on=business_on,
    )

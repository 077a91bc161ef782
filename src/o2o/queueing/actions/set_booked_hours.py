"""Set a store's hours, once those who would lose the time they booked have been looked at."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from o2o.infra.audit import Actor
from o2o.infra.database import Tx
from o2o.queueing.actions.edit_booking_plan import check_confirmed, hold_plan
from o2o.queueing.errors_bookings import BookingsNotTaken
from o2o.queueing.queries.affected_bookings import Hours, list_outside_hours
from o2o.stores.actions.set_hours import Spans, check_hours, set_hours


async def set_booked_hours(
    tx: Tx,
    *,
    store_id: UUID,
    brand_id: UUID,
    hours: Mapping[str, Spans],
    exceptions: Mapping[date, Spans],
    confirmed: Collection[UUID],
    today: date,
    actor: Actor,
    now: datetime,
) -> None:
    """Replace a store's hours; bookings outside of them are called off by `store.hours_set`.

    `confirmed` are the bookings of which that is known. Nobody books meanwhile, so that nobody
    else is called off. Raises BookingsWouldLoseTime, StoreNotFound, HoursWrong; then nothing
    changed.
    """
    weekly, dated = check_hours(hours, exceptions, today=today)
    await hold_plan(tx, store_id)
    try:
        outside = await list_outside_hours(tx, store_id, now=now, hours=Hours(weekly, dated))
    except BookingsNotTaken:
        outside = []
    check_confirmed(outside, confirmed)
    await set_hours(
        tx,
        store_id=store_id,
        brand_id=brand_id,
        hours=hours,
        exceptions=exceptions,
        today=today,
        actor=actor,
        now=now,
    )

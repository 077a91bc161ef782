"""Which bookings a change of a store's plan or hours leaves without their time."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.queueing.queries.booking_plans import get_plan
from o2o.queueing.queries.bookings import KnownBooking, list_by_id
from o2o.queueing.rules.booking_drafts import ExceptionDraft

_BOOKED = text(
    "SELECT id FROM bookings WHERE store_id = :store_id AND status = 'booked'"
    " AND starts_at > :now AND starts_at >= :since AND starts_at < :until"
    " AND (CAST(:queue_id AS uuid) IS NULL OR queue_id = :queue_id)"
    " ORDER BY starts_at, booked_at, id"
)
FOR_EVER = timedelta(days=400)


def day_span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a date of a store's calendar begins and ends."""
    since = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    return since, datetime(after.year, after.month, after.day, tzinfo=zone)


async def list_affected(
    tx: Tx, store_id: UUID, draft: ExceptionDraft, *, now: datetime
) -> list[KnownBooking]:
    """Return the coming bookings for which a date has no place any more, earliest first.

    All of them where the date is closed; else in each slot those who booked after its places were
    taken.
    """
    plan = await get_plan(tx, store_id, now=now)
    since, until = day_span(draft.applies_on, plan.zone)
    rows = await tx.execute(
        _BOOKED,
        {
            "store_id": store_id,
            "now": now,
            "since": since,
            "until": until,
            "queue_id": draft.queue_id,
        },
    )
    bookings = await list_by_id(tx, list(rows.scalars()))
    if draft.capacity is None:
        return bookings
    seen: dict[UUID, int] = {}
    affected = []
    for booking in bookings:
        seen[booking.slot_id] = seen.get(booking.slot_id, 0) + 1
        if seen[booking.slot_id] > draft.capacity:
            affected.append(booking)
    return affected


class Hours(msgspec.Struct, frozen=True):
    """When a store would serve: each weekday's spans, and those of dates that are different."""

    weekly: Mapping[str, Any]
    dated: Mapping[str, Any]


async def list_outside_hours(
    tx: Tx, store_id: UUID, *, now: datetime, hours: Hours | None = None
) -> list[KnownBooking]:
    """Return the coming bookings at times when the store is closed, earliest first.

    By its hours, or as it would be by others. Raises BookingsNotTaken.
    """
    plan = await get_plan(tx, store_id, now=now)
    if hours is not None:
        plan = msgspec.structs.replace(plan, hours=hours.weekly, hours_exceptions=hours.dated)
    params = {"store_id": store_id, "now": now, "since": now, "until": now + FOR_EVER}
    rows = await tx.execute(_BOOKED, params | {"queue_id": None})
    bookings = await list_by_id(tx, list(rows.scalars()))
    return [booking for booking in bookings if not plan.serves_at(booking.starts_at)]

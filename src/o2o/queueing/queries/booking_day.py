"""Reads of a store's day of bookings: who comes when, who is here, who often does not come."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingSource, BookingStatus
from o2o.infra.database import Tx
from o2o.kernel.text import mask_name, mask_phone
from o2o.queueing.commands import ticket_code
from o2o.queueing.queries.affected_bookings import day_span
from o2o.queueing.queries.booking_plans import list_plans
from o2o.queueing.rules.booking_arrival import Arrival, arrival_of
from o2o.queueing.rules.booking_plan import SlotKey

DAY_MAX = 1_000
# How far back it counts that somebody did not come.
NO_SHOWS_COUNT = timedelta(days=180)
# Arrivals that a clerk sees: so far ahead, and so long after the time.
AHEAD = timedelta(hours=2)

_ROWS = text(
    "SELECT b.id, b.code, b.status, b.queue_id, q.code AS line, q.name AS queue_name,"
    " q.name_en AS queue_name_en, b.starts_at, b.party_size, b.source, b.member_id, b.fan_id,"
    " b.arrived_at, b.ended_at, b.is_by_store, b.reason, m.name AS member_name,"
    " m.phone AS member_phone, t.id AS ticket_id, t.number, tq.code AS ticket_line,"
    " t.status AS ticket_status,"
    " (SELECT count(*) FROM (SELECT n.id FROM bookings n WHERE n.fan_id = b.fan_id"
    "   AND n.status = 'no_show' AND n.starts_at > :counted_since"
    "   UNION SELECT n.id FROM bookings n WHERE n.member_id = b.member_id"
    "   AND n.status = 'no_show' AND n.starts_at > :counted_since) x) AS no_shows"
    " FROM bookings b JOIN queues q ON q.id = b.queue_id"
    " LEFT JOIN members m ON m.id = b.member_id"
    " LEFT JOIN LATERAL (SELECT t.id, t.number, t.queue_id, t.status FROM tickets t"
    "  WHERE t.booking_id = b.id ORDER BY t.id DESC LIMIT 1) t ON true"
    " LEFT JOIN queues tq ON tq.id = t.queue_id"
    " WHERE b.store_id = :store_id AND b.starts_at >= :since AND b.starts_at < :until"
    " AND b.status = ANY(CAST(:statuses AS text[]))"
    " ORDER BY b.starts_at, q.rank, b.booked_at, b.id LIMIT :most"
)


_FILLED = text(
    "SELECT queue_id, starts_at, party_size_min, booked FROM booking_slots"
    " WHERE store_id = :store_id AND starts_at >= :since AND starts_at < :until AND booked > 0"
)


class DayBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking as the store sees it; who booked is masked."""

    booking_id: UUID
    code: str
    status: BookingStatus
    queue_id: UUID
    line: str
    queue_name: str
    queue_name_en: str
    starts_at: datetime
    party_size: int
    source: BookingSource
    member_id: UUID | None
    name_masked: str | None
    phone_masked: str | None
    arrived_at: datetime | None
    is_by_store: bool
    reason: str | None
    ticket_id: UUID | None
    # As people read it: B019.
    ticket_code: str | None
    ticket_status: str | None
    # How often the person did not come lately; this time not counted.
    no_shows: int


class Timing(StrEnum):
    """How an expected party stands in time."""

    EARLY = "early"
    DUE = "due"
    LATE = "late"


class ExpectedArrival(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who booked and is not here yet, as a clerk checks them in."""

    booking: DayBooking
    timing: Timing
    # Minutes until the time, below zero after it.
    minutes_left: int
    timezone: str


async def list_day(
    tx: Tx, store_id: UUID, day: date, *, zone: ZoneInfo, now: datetime
) -> list[DayBooking]:
    """Return all bookings of a date of the store's calendar, by time."""
    since, until = day_span(day, zone)
    return await _rows(
        tx, store_id, since=since, until=until, statuses=list(BookingStatus), now=now
    )


async def list_booked_between(
    tx: Tx, store_id: UUID, *, since: datetime, until: datetime
) -> dict[SlotKey, int]:
    """Return how many places of the store's slots are taken in a span, past ones too."""
    params = {"store_id": store_id, "since": since, "until": until}
    rows = await tx.execute(_FILLED, params)
    return {SlotKey(row.queue_id, row.starts_at, row.party_size_min): row.booked for row in rows}


async def list_arrivals(tx: Tx, store_id: UUID, now: datetime) -> list[ExpectedArrival]:
    """Return who is expected within two hours, or is late and waited for, earliest first.

    Empty for a store that takes no bookings.
    """
    plan = (await list_plans(tx, [store_id], now=now)).get(store_id)
    if plan is None:
        return []
    found = await _rows(
        tx,
        store_id,
        since=now - timedelta(minutes=plan.no_show_minutes),
        until=now + AHEAD,
        statuses=[BookingStatus.BOOKED],
        now=now,
    )
    timings = {Arrival.TOO_EARLY: Timing.EARLY, Arrival.IN_TIME: Timing.DUE}
    return [
        ExpectedArrival(
            booking=booking,
            timing=timings.get(
                arrival_of(
                    booking.starts_at,
                    now=now,
                    early_minutes=plan.early_minutes,
                    grace_minutes=plan.grace_minutes,
                    no_show_minutes=plan.no_show_minutes,
                ),
                Timing.LATE,
            ),
            minutes_left=int((booking.starts_at - now).total_seconds() // 60),
            timezone=plan.timezone,
        )
        for booking in found
    ]


async def _rows(
    tx: Tx,
    store_id: UUID,
    *,
    since: datetime,
    until: datetime,
    statuses: list[BookingStatus],
    now: datetime,
) -> list[DayBooking]:
    rows = await tx.execute(
        _ROWS,
        {
            "store_id": store_id,
            "since": since,
            "until": until,
            "statuses": [status.value for status in statuses],
            "counted_since": now - NO_SHOWS_COUNT,
            "most": DAY_MAX,
        },
    )
    return [_day_booking(row) for row in rows]


def _day_booking(row: Any) -> DayBooking:
    status = BookingStatus(row.status)
    return DayBooking(
        booking_id=row.id,
        code=row.code,
        status=status,
        queue_id=row.queue_id,
        line=row.line,
        queue_name=row.queue_name,
        queue_name_en=row.queue_name_en,
        starts_at=row.starts_at,
        party_size=row.party_size,
        source=BookingSource(row.source),
        member_id=row.member_id,
        name_masked=mask_name(row.member_name),
        phone_masked=mask_phone(row.member_phone),
        arrived_at=row.arrived_at,
        is_by_store=row.is_by_store,
        reason=row.reason,
        ticket_id=row.ticket_id,
        ticket_code=ticket_code(row.ticket_line, row.number) if row.ticket_id else None,
        ticket_status=row.ticket_status,
        no_shows=row.no_shows - (status is BookingStatus.NO_SHOW),
    )

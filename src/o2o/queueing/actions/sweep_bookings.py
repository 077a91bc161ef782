"""What comes round for bookings: reminders, those who did not come, and what nobody owns."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.actions.record_booking_moves import BookingStep, record_booking_moves
from o2o.queueing.booking_commands import ChangeBooking
from o2o.queueing.events_bookings import BookingNotKept
from o2o.queueing.moves_bookings import BOOKING_MOVES
from o2o.queueing.queries.bookings import KnownBooking, lock_by_tickets

SWEEP_MAX = 500

# Once for each time: whoever is marked is told, and nobody is told when the time has come.
_REMIND = text(
    "UPDATE bookings SET reminded_at = :now WHERE id IN ("
    " SELECT b.id FROM bookings b JOIN booking_settings s ON s.store_id = b.store_id"
    " WHERE b.status = 'booked' AND b.reminded_at IS NULL AND s.remind_minutes > 0"
    " AND b.starts_at > :now"
    " AND b.starts_at <= CAST(:now AS timestamptz) + make_interval(mins => s.remind_minutes)"
    " ORDER BY b.starts_at, b.id LIMIT :most FOR UPDATE OF b SKIP LOCKED)"
    " RETURNING id"
)
_NOT_KEPT = text(
    "UPDATE bookings SET status = 'no_show', ended_at = :now WHERE id IN ("
    " SELECT b.id FROM bookings b JOIN booking_settings s ON s.store_id = b.store_id"
    " WHERE b.status = ANY(CAST(:sources AS text[]))"
    " AND b.starts_at <= CAST(:now AS timestamptz) - make_interval(mins => s.no_show_minutes)"
    " ORDER BY b.starts_at, b.id LIMIT :most FOR UPDATE OF b SKIP LOCKED)"
    " RETURNING id, store_id, member_id, starts_at"
)
_SERVE = text(
    "UPDATE bookings SET status = :status, ended_at = :now"
    " WHERE id = ANY(CAST(:ids AS uuid[])) AND status = ANY(CAST(:sources AS text[]))"
)
# Made by somebody who was deleted since: nobody will come, and the place is wanted.
_OWNERLESS = text(
    "SELECT id FROM bookings WHERE status = 'booked' AND starts_at > :now"
    " AND source IN ('page', 'chat') AND fan_id IS NULL AND member_id IS NULL LIMIT :most"
)


async def mark_reminders(tx: Tx, *, now: datetime, most: int = SWEEP_MAX) -> list[UUID]:
    """Mark who is to be reminded now, and return their bookings; nobody is marked twice."""
    rows = await tx.execute(_REMIND, {"now": now, "most": most})
    return sorted(row.id for row in rows)


async def end_not_kept(tx: Tx, *, now: datetime, most: int = SWEEP_MAX) -> int:
    """End the bookings of those who are not expected any more. Publishes `booking.not_kept`."""
    sources = [status.value for status in BOOKING_MOVES.sources_of(BookingStatus.NO_SHOW)]
    params = {"now": now, "most": most, "sources": sources}
    rows = (await tx.execute(_NOT_KEPT, params)).all()
    await record_booking_moves(tx, [_missed(row, now=now) for row in rows])
    events = [
        BookingNotKept(booking_id=row.id, store_id=row.store_id, member_id=row.member_id)
        for row in rows
    ]
    await publish(tx, *events, now=now)
    return len(rows)


def _missed(row: Any, *, now: datetime) -> BookingStep:
    return BookingStep(
        booking_id=row.id,
        move="missed",
        from_status=BookingStatus.BOOKED,
        to_status=BookingStatus.NO_SHOW,
        starts_at=row.starts_at,
        at=now,
    )


async def cancel_ownerless(tx: Tx, *, now: datetime, most: int = SWEEP_MAX) -> int:
    """Free the places of people who are not there any more."""
    ids = (await tx.execute(_OWNERLESS, {"now": now, "most": most})).scalars().all()
    if ids:
        await cancel_bookings(tx, [ChangeBooking(booking_id=one, now=now) for one in ids])
    return len(ids)


async def end_with_tickets(
    tx: Tx, ticket_ids: Sequence[UUID], *, is_served: bool, now: datetime
) -> int:
    """End the bookings whose tickets ended: served, or gone again."""
    bookings = await lock_by_tickets(tx, ticket_ids)
    if not bookings:
        return 0
    target = BookingStatus.SERVED if is_served else BookingStatus.CANCELLED
    BOOKING_MOVES.check(BookingStatus.ARRIVED, target)
    await tx.execute(
        _SERVE,
        {
            "status": target.value,
            "now": now,
            "ids": [booking.booking_id for booking in bookings],
            "sources": [BookingStatus.ARRIVED.value],
        },
    )
    await record_booking_moves(tx, [_ended(booking, target, now=now) for booking in bookings])
    return len(bookings)


def _ended(booking: KnownBooking, target: BookingStatus, *, now: datetime) -> BookingStep:
    return BookingStep(
        booking_id=booking.booking_id,
        move="served" if target is BookingStatus.SERVED else "cancelled",
        from_status=BookingStatus.ARRIVED,
        to_status=target,
        starts_at=booking.starts_at,
        at=now,
    )

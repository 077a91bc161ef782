"""Write new bookings: codes that nobody else in the store has, rows, first moves, events."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Unavailable
from o2o.kernel.ids import new_id
from o2o.queueing.actions.hold_places import LockedSlot
from o2o.queueing.actions.record_booking_moves import BookingStep, record_booking_moves
from o2o.queueing.booking_commands import Booked, BookSlot
from o2o.queueing.events_bookings import BookingMade
from o2o.queueing.rules.booking_codes import make_code
from o2o.queueing.rules.booking_plan import Plan

# A million codes, and a store has hundreds: the second draw is rare, the tenth never happens.
DRAWS_MAX = 10

_INSERT = text(
    "INSERT INTO bookings (id, request_id, body_hash, store_id, queue_id, slot_id, starts_at,"
    " party_size, status, source, code, member_id, fan_id, booked_at, reminded_at)"
    " SELECT id, request_id, body_hash, store_id, queue_id, slot_id, starts_at, party_size,"
    " 'booked', source, code, member_id, fan_id, booked_at, reminded_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:request_ids AS uuid[]),"
    " CAST(:body_hashes AS bytea[]), CAST(:store_ids AS uuid[]), CAST(:queue_ids AS uuid[]),"
    " CAST(:slot_ids AS uuid[]), CAST(:starts_ats AS timestamptz[]),"
    " CAST(:party_sizes AS smallint[]), CAST(:sources AS text[]), CAST(:codes AS text[]),"
    " CAST(:member_ids AS uuid[]), CAST(:fan_ids AS uuid[]), CAST(:booked_ats AS timestamptz[]),"
    " CAST(:reminded_ats AS timestamptz[]))"
    " AS m(id, request_id, body_hash, store_id, queue_id, slot_id, starts_at, party_size, source,"
    " code, member_id, fan_id, booked_at, reminded_at)"
    # Somebody has the code: it is drawn again.
    " ON CONFLICT (store_id, code) WHERE status IN ('booked', 'arrived') DO NOTHING"
    " RETURNING id, code"
)


class NewBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that was given its place."""

    command: BookSlot
    body_hash: bytes
    plan: Plan
    slot: LockedSlot
    party_size: int


class CodesUsedUp(Unavailable):
    """No free code was found in the store."""

    code = "booking.codes_used_up"


async def write_bookings(tx: Tx, rows: Sequence[NewBooking]) -> dict[UUID, Booked]:
    """Write bookings whose places were taken; return each under its request id."""
    ids = {new_id(): row for row in rows}
    codes: dict[UUID, str] = {}
    for _ in range(DRAWS_MAX):
        left = {booking_id: row for booking_id, row in ids.items() if booking_id not in codes}
        if not left:
            break
        written = await tx.execute(_INSERT, _columns(left))
        codes |= {row.id: row.code for row in written}
    else:
        raise CodesUsedUp
    await record_booking_moves(tx, [_first_move(key, row) for key, row in ids.items()])
    await publish(tx, *(_event(key, row) for key, row in ids.items()), now=_now(rows))
    return {
        row.command.request_id: _booked(booking_id, codes[booking_id], row)
        for booking_id, row in ids.items()
    }


def reminded_at(plan: Plan, starts_at: datetime, *, now: datetime) -> datetime | None:
    """Whoever books within the time of the reminder is not told what he just did."""
    is_near = starts_at - timedelta(minutes=plan.remind_minutes) <= now
    return now if is_near or not plan.remind_minutes else None


def _now(rows: Sequence[NewBooking]) -> datetime | None:
    return rows[0].command.now if rows else None


def _columns(rows: dict[UUID, NewBooking]) -> dict[str, Any]:
    commands = [row.command for row in rows.values()]
    return {
        "ids": list(rows),
        "request_ids": [command.request_id for command in commands],
        "body_hashes": [row.body_hash for row in rows.values()],
        "store_ids": [command.store_id for command in commands],
        "queue_ids": [row.slot.planned.queue_id for row in rows.values()],
        "slot_ids": [row.slot.slot_id for row in rows.values()],
        "starts_ats": [command.starts_at for command in commands],
        "party_sizes": [row.party_size for row in rows.values()],
        "sources": [command.source.value for command in commands],
        "codes": [make_code() for _ in rows],
        "member_ids": [command.member_id for command in commands],
        "fan_ids": [command.fan_id for command in commands],
        "booked_ats": [command.now for command in commands],
        "reminded_ats": [
            reminded_at(row.plan, row.command.starts_at, now=row.command.now)
            for row in rows.values()
        ],
    }


def _first_move(booking_id: UUID, row: NewBooking) -> BookingStep:
    return BookingStep(
        booking_id=booking_id,
        move="booked",
        from_status=None,
        to_status=BookingStatus.BOOKED,
        starts_at=row.command.starts_at,
        staff_id=row.command.staff_id,
        api_key_id=row.command.api_key_id,
        at=row.command.now,
    )


def _event(booking_id: UUID, row: NewBooking) -> BookingMade:
    return BookingMade(
        booking_id=booking_id,
        store_id=row.command.store_id,
        member_id=row.command.member_id,
        starts_at=row.command.starts_at,
        party_size=row.party_size,
    )


def _booked(booking_id: UUID, code: str, row: NewBooking) -> Booked:
    return Booked(
        booking_id=booking_id,
        code=code,
        status=BookingStatus.BOOKED,
        store_id=row.command.store_id,
        store_name=row.plan.store_name,
        timezone=row.plan.timezone,
        queue_id=row.slot.planned.queue_id,
        starts_at=row.command.starts_at,
        party_size=row.party_size,
        is_replay=False,
    )

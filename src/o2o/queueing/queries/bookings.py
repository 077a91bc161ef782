"""Reads of bookings: one for an action, those of a person, those of a store's day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.booking_commands import Booked
from o2o.queueing.commands import ticket_code
from o2o.queueing.errors_bookings import BookingNotFound

MINE_MAX = 50


class KnownBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking with what is needed to act on it."""

    booking_id: UUID
    request_id: UUID
    body_hash: bytes
    store_id: UUID
    store_name: str
    timezone: str
    brand_id: UUID
    queue_id: UUID
    slot_id: UUID
    slot_party_size_min: int
    starts_at: datetime
    party_size: int
    status: BookingStatus
    code: str
    member_id: UUID | None
    fan_id: UUID | None
    ticket_id: UUID | None
    is_by_store: bool

    def is_of(self, *, fan_id: UUID | None, member_id: UUID | None) -> bool:
        """Whether the booking is this person's."""
        return (fan_id is not None and self.fan_id == fan_id) or (
            member_id is not None and self.member_id == member_id
        )

    def as_booked(self, *, is_replay: bool) -> Booked:
        """Return it as an answer."""
        return Booked(
            booking_id=self.booking_id,
            code=self.code,
            status=self.status,
            store_id=self.store_id,
            store_name=self.store_name,
            timezone=self.timezone,
            queue_id=self.queue_id,
            starts_at=self.starts_at,
            party_size=self.party_size,
            is_replay=is_replay,
        )


_COLUMNS = (
    "SELECT b.id AS booking_id, b.request_id, b.body_hash, b.store_id, s.name AS store_name,"
    " s.timezone, s.brand_id, b.queue_id, b.slot_id,"
    " p.party_size_min AS slot_party_size_min, b.starts_at, b.party_size, b.status, b.code,"
    # Whoever booked before becoming a member has it as a member.
    " coalesce(b.member_id, (SELECT f.member_id FROM fans f WHERE f.id = b.fan_id)) AS member_id,"
    " b.fan_id, b.ticket_id, b.is_by_store"
    " FROM bookings b JOIN stores s ON s.id = b.store_id JOIN booking_slots p ON p.id = b.slot_id"
)
_LIVE = "b.status IN ('booked', 'arrived')"
_BY_REQUEST = text(f"{_COLUMNS} WHERE b.request_id = ANY(CAST(:request_ids AS uuid[]))")
_BY_ID = text(f"{_COLUMNS} WHERE b.id = ANY(CAST(:ids AS uuid[])) ORDER BY b.id")
# Locked by themselves and read after: joined to its slot, a booking that moves to another while the
# lock is waited for would not be found.
_LOCK = text("SELECT id FROM bookings WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")
# Of each person and store that is asked for, the live ones: for members and fans in two halves,
# each by its own index.
_LIVE_OF = text(
    f"{_COLUMNS} WHERE {_LIVE}"  # noqa: S608 - our own text
    " AND b.fan_id = ANY(CAST(:fan_ids AS uuid[]) || ARRAY(SELECT f.id"
    " FROM fans f WHERE f.member_id = ANY(CAST(:member_ids AS uuid[]))))"
    f" UNION {_COLUMNS} WHERE {_LIVE} AND b.member_id = ANY(CAST(:member_ids AS uuid[]))"
)
_MINE = text(
    f"SELECT * FROM ({_COLUMNS} WHERE b.fan_id = :fan_id"  # noqa: S608 - our own text
    f" UNION {_COLUMNS} WHERE b.member_id = :member_id) m"
    " WHERE CAST(:account_id AS uuid) IS NULL OR EXISTS (SELECT 1 FROM stores s"
    "  WHERE s.id = m.store_id AND s.account_id = :account_id)"
    " ORDER BY m.status NOT IN ('booked', 'arrived'),"
    " CASE WHEN m.status IN ('booked', 'arrived') THEN m.starts_at END,"
    " m.starts_at DESC LIMIT :most"
)
_BY_CODE = text(
    f"{_COLUMNS} WHERE b.code = :code AND (b.fan_id = :fan_id OR b.member_id = :member_id)"
    f" ORDER BY NOT {_LIVE}, b.starts_at DESC LIMIT 1"
)
_LIVE_BY_CODE = text(f"{_COLUMNS} WHERE b.store_id = :store_id AND b.code = :code AND {_LIVE}")
_BY_TICKETS = text(
    f"{_COLUMNS} WHERE b.status = 'arrived' AND b.id IN (SELECT t.booking_id FROM tickets t"  # noqa: S608 - our own text
    " WHERE t.id = ANY(CAST(:ticket_ids AS uuid[]))) ORDER BY b.id FOR UPDATE OF b"
)


_TICKETS = text(
    "SELECT DISTINCT ON (t.booking_id) t.booking_id, t.id, q.code, t.number FROM tickets t"
    " JOIN queues q ON q.id = t.queue_id WHERE t.booking_id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY t.booking_id, t.id DESC"
)


async def list_by_request(tx: Tx, request_ids: Sequence[UUID]) -> dict[UUID, KnownBooking]:
    """Return what became of these intentions, by their ids."""
    found = await _known(tx, _BY_REQUEST, {"request_ids": list(request_ids)})
    return {booking.request_id: booking for booking in found}


async def get_booking(tx: Tx, booking_id: UUID) -> KnownBooking:
    """Return a booking. Raises BookingNotFound."""
    found = await _known(tx, _BY_ID, {"ids": [booking_id]})
    if not found:
        raise BookingNotFound
    return found[0]


async def list_by_id(tx: Tx, booking_ids: Sequence[UUID]) -> list[KnownBooking]:
    """Return those that there are, in the order of the ids given."""
    found = {one.booking_id: one for one in await _known(tx, _BY_ID, {"ids": list(booking_ids)})}
    return [found[booking_id] for booking_id in booking_ids if booking_id in found]


async def lock_bookings(tx: Tx, booking_ids: Sequence[UUID]) -> dict[UUID, KnownBooking]:
    """Lock those that there are, in id order."""
    await tx.execute(_LOCK, {"ids": list(booking_ids)})
    found = await _known(tx, _BY_ID, {"ids": list(booking_ids)})
    return {booking.booking_id: booking for booking in found}


async def lock_by_tickets(tx: Tx, ticket_ids: Sequence[UUID]) -> list[KnownBooking]:
    """Lock the bookings whose people are here with these tickets."""
    return await _known(tx, _BY_TICKETS, {"ticket_ids": list(ticket_ids)})


async def list_live_of(
    tx: Tx, *, fan_ids: Sequence[UUID], member_ids: Sequence[UUID]
) -> list[KnownBooking]:
    """Return the live bookings of these people, in any store."""
    if not fan_ids and not member_ids:
        return []
    return await _known(tx, _LIVE_OF, {"fan_ids": list(fan_ids), "member_ids": list(member_ids)})


async def list_mine(
    tx: Tx,
    *,
    fan_id: UUID | None,
    member_id: UUID | None,
    account_id: UUID | None = None,
    most: int = MINE_MAX,
) -> list[KnownBooking]:
    """Return a person's bookings in an account's stores: those to come first, next one first."""
    return await _known(
        tx,
        _MINE,
        {"fan_id": fan_id, "member_id": member_id, "account_id": account_id, "most": most},
    )


async def find_mine_by_code(
    tx: Tx, code: str, *, fan_id: UUID | None, member_id: UUID | None
) -> KnownBooking | None:
    """Return the person's booking of that code, a live one before one that is over."""
    params = {"code": code, "fan_id": fan_id, "member_id": member_id}
    return next(iter(await _known(tx, _BY_CODE, params)), None)


async def find_live_by_code(tx: Tx, *, store_id: UUID, code: str) -> KnownBooking | None:
    """Return the store's live booking of that code."""
    params = {"store_id": store_id, "code": code}
    return next(iter(await _known(tx, _LIVE_BY_CODE, params)), None)


async def list_ticket_codes(tx: Tx, booking_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Return the ticket that each of these bookings became last, and its number as people read it.

    A ticket that went on in another queue is that one.
    """
    if not booking_ids:
        return {}
    rows = await tx.execute(_TICKETS, {"ids": list(booking_ids)})
    return {row.booking_id: (row.id, ticket_code(row.code, row.number)) for row in rows}


async def _known(tx: Tx, statement: Any, params: dict[str, Any]) -> list[KnownBooking]:
    return [
        KnownBooking(
            **{
                **dict(row),
                "status": BookingStatus(row["status"]),
                "body_hash": bytes(row["body_hash"]),
            }
        )
        for row in await fetch_rows(tx, statement, params)
    ]

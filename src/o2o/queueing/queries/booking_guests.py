"""Through whom those who booked are told something, and what their messages name."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx

# The fan who booked; else the member's, the store's account first, where he followed last.
# Following is the condition: a message to anybody else is refused, and unwanted.
_GUESTS = text(
    "WITH picked AS (SELECT b.id, (SELECT x.id FROM ("
    "  SELECT f.id, 0 AS rank, f.account_id, f.followed_at FROM fans f"
    "   WHERE f.id = b.fan_id AND f.is_following"
    "  UNION ALL SELECT f.id, 1, f.account_id, f.followed_at FROM fans f"
    "   JOIN members m ON m.id = f.member_id AND m.status = 'active'"
    "   WHERE f.member_id = b.member_id AND f.is_following) x"
    "  ORDER BY x.rank, x.account_id = s.account_id DESC, x.followed_at DESC NULLS LAST, x.id"
    "  LIMIT 1) AS fan_id"
    " FROM bookings b JOIN stores s ON s.id = b.store_id"
    " WHERE b.id = ANY(CAST(:booking_ids AS uuid[])))"
    " SELECT b.id, b.status, b.starts_at, b.party_size, b.code, b.reason, s.name AS store_name,"
    " s.timezone, f.account_id, f.openid, a.slug"
    " FROM picked p JOIN bookings b ON b.id = p.id"
    " JOIN fans f ON f.id = p.fan_id AND f.is_following"
    " JOIN official_accounts a ON a.id = f.account_id JOIN stores s ON s.id = b.store_id"
    " ORDER BY f.id"
    # Who is being forgotten is told nothing any more: a deletion waits for this row, or this
    # for the deletion.
    " FOR KEY SHARE OF f"
)
_STATES = text(
    "SELECT id, status, starts_at FROM bookings WHERE id = ANY(CAST(:booking_ids AS uuid[]))"
)


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to tell of a booking, and how it is named to him."""

    booking_id: UUID
    status: BookingStatus
    starts_at: datetime
    party_size: int
    code: str
    # Why the store called it off, where it said so.
    reason: str | None
    store_name: str
    timezone: str
    account_id: UUID
    account_slug: str
    openid: str

    @property
    def local(self) -> datetime:
        """The time by the store's clock."""
        return self.starts_at.astimezone(ZoneInfo(self.timezone))


async def list_guests(tx: Tx, booking_ids: Collection[UUID]) -> list[Guest]:
    """Return whom to tell of these bookings; those through whom nobody can be told are left out."""
    rows = await tx.execute(_GUESTS, {"booking_ids": list(booking_ids)})
    return [
        Guest(
            booking_id=row.id,
            status=BookingStatus(row.status),
            starts_at=row.starts_at,
            party_size=row.party_size,
            code=row.code,
            reason=row.reason,
            store_name=row.store_name,
            timezone=row.timezone,
            account_id=row.account_id,
            account_slug=row.slug,
            openid=row.openid,
        )
        for row in rows
    ]


async def list_booking_states(
    tx: Tx, booking_ids: Collection[UUID]
) -> dict[UUID, tuple[BookingStatus, datetime]]:
    """Return how these bookings stand and for when they are."""
    rows = await tx.execute(_STATES, {"booking_ids": list(booking_ids)})
    return {row.id: (BookingStatus(row.status), row.starts_at) for row in rows}

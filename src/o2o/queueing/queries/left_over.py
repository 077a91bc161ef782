"""Queues' days on which somebody still waits although the day, or the store's hours, are over."""

from datetime import datetime, timedelta

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.queueing.days import DayKey

# In a store's small hours the day of the calendar has begun and the business day is not over: who
# is found here is looked at more closely.
_OPEN_DAYS = text(
    "SELECT DISTINCT t.queue_id, t.business_on, s.hours, s.timezone"
    " FROM tickets t JOIN stores s ON s.id = t.store_id WHERE t.ended_at IS NULL"
    " AND t.business_on < CAST(CAST(:now AS timestamptz) AT TIME ZONE s.timezone AS date)"
    " ORDER BY t.business_on, t.queue_id LIMIT :most"
)
# More than there are queues: those whose night goes on must not hide those whose day is over.
CANDIDATES_MAX = 20_000
_WAITING_DAYS = text(
    "SELECT d.queue_id, d.business_on FROM queue_settings c"
    " JOIN queues q ON q.store_id = c.store_id JOIN queue_days d ON d.queue_id = q.id"
    " WHERE NOT c.serves_waiting_after_close AND d.business_on >= CAST(:since AS date)"
    " AND d.waiting_ordinary + d.waiting_member + d.waiting_booked > 0"
    " ORDER BY d.queue_id, d.business_on LIMIT :most"
)


async def list_left_over_days(tx: Tx, *, now: datetime, most: int) -> list[DayKey]:
    """Return business days that are over and still have tickets that have not ended."""
    rows = (await tx.execute(_OPEN_DAYS, {"now": now, "most": CANDIDATES_MAX})).all()
    over = [
        (row.queue_id, row.business_on)
        for row in rows
        if row.business_on < business_day(now, hours=row.hours, timezone=row.timezone)
    ]
    return over[:most]


async def list_waiting_days(tx: Tx, *, now: datetime) -> list[DayKey]:
    """Return days of the last two with people waiting whom their store does not serve when closed.

    Whether the store is closed is for the caller to say.
    """
    since = (now - timedelta(days=2)).date()
    rows = await tx.execute(_WAITING_DAYS, {"since": since, "most": CANDIDATES_MAX})
    return [(row.queue_id, row.business_on) for row in rows]

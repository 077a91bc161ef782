"""Notice that a party waits longer than the range it was told, and say so to the other domains."""

from datetime import datetime

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.queueing.events import PromiseMissed

# Once per ticket: the conditional update is the guard. Who is being called just now is left alone,
# and so is whoever was called, was not there and waits again: that promise was kept.
_MISSED = text(
    "WITH missed AS ("
    " SELECT t.id FROM tickets t"
    " WHERE t.status = 'waiting' AND t.promise_missed_at IS NULL"
    " AND t.called_at IS NULL AND t.promised_high_seconds > 0"
    " AND t.taken_at + make_interval(secs => t.promised_high_seconds) < :now"
    " ORDER BY t.taken_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " UPDATE tickets t SET promise_missed_at = :now FROM missed"
    " WHERE t.id = missed.id AND t.status = 'waiting' AND t.promise_missed_at IS NULL"
    " RETURNING t.id, t.store_id, t.member_id, t.taken_at, t.promised_median_seconds,"
    " (SELECT apology FROM queue_settings s WHERE s.store_id = t.store_id) AS apology"
)


async def notice_missed_promises(tx: Tx, *, now: datetime, limit: int) -> int:
    """Publish `wait.promise_missed` for at most `limit` parties; return for how many."""
    rows = (await tx.execute(_MISSED, {"now": now, "limit": limit})).all()
    await publish(
        tx,
        *(
            PromiseMissed(
                ticket_id=row.id,
                store_id=row.store_id,
                member_id=row.member_id,
                apology=row.apology,
                median_seconds=row.promised_median_seconds,
                waited_seconds=int((now - row.taken_at).total_seconds()),
            )
            for row in rows
        ),
        now=now,
    )
    return len(rows)

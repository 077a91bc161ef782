"""Remind of expiry: a month and a week before points end, once per member, month and distance.

Service information, not marketing: whoever follows an account of the brand is told; whoever stopped
following is not.
"""

from datetime import datetime, timedelta

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.notifications.actions.tell_of_programme import tell_of_expiry

# The farther reminder is left out when the nearer one is due already.
DAYS_BEFORE = (30, 7)
# Months are the customers'; an end on the first instant of a month belongs to the month before.
ZONE = "Asia/Shanghai"

# The row comes first: of two jobs at once one tells. What ends later in the same month is counted
# in, so that a month is one message.
_DUE = text(
    "WITH ending AS (SELECT a.owner_id AS member_id, a.balance, min(l.expires_at) AS expires_at,"
    " sum(l.remaining)::bigint AS points"
    " FROM ledger_lots l JOIN ledger_accounts a ON a.id = l.account_id"
    " AND a.kind = 'member_points'"
    " JOIN members m ON m.id = a.owner_id AND m.status = 'active'"
    " WHERE l.remaining > 0 AND l.expires_at > :now AND l.expires_at <= :horizon"
    " GROUP BY a.owner_id, a.balance,"
    " date_trunc('month', (l.expires_at - interval '1 second') AT TIME ZONE :zone)"
    " HAVING min(l.expires_at) > :nearer AND min(l.expires_at) <= :until),"
    " fresh AS (SELECT e.* FROM ending e WHERE NOT EXISTS (SELECT 1 FROM points_reminders r"
    " WHERE r.member_id = e.member_id AND r.days_before = :days_before"
    " AND date_trunc('month', (r.expires_at - interval '1 second') AT TIME ZONE :zone)"
    " = date_trunc('month', (e.expires_at - interval '1 second') AT TIME ZONE :zone))"
    " ORDER BY e.expires_at, e.member_id LIMIT :most),"
    " told AS (INSERT INTO points_reminders (member_id, expires_at, days_before, points, told_at)"
    " SELECT member_id, expires_at, :days_before, points, :now FROM fresh ON CONFLICT DO NOTHING"
    " RETURNING member_id, expires_at)"
    " SELECT fresh.* FROM fresh JOIN told USING (member_id, expires_at)"
)


async def remind_of_expiry(tx: Tx, *, now: datetime, most: int) -> int:
    """Tell up to so many members for each distance; return how many are done with."""
    done = 0
    for index, days in enumerate(DAYS_BEFORE):
        nearer = DAYS_BEFORE[index + 1] if index + 1 < len(DAYS_BEFORE) else 0
        rows = (
            await tx.execute(
                _DUE,
                {
                    "now": now,
                    "nearer": now + timedelta(days=nearer),
                    "until": now + timedelta(days=days),
                    "horizon": now + timedelta(days=days + 31),
                    "days_before": days,
                    "zone": ZONE,
                    "most": most,
                },
            )
        ).all()
        for row in rows:
            await tell_of_expiry(
                tx,
                member_id=row.member_id,
                points=row.points,
                balance=row.balance,
                expires_at=row.expires_at,
                days_before=days,
                now=now,
            )
        done += len(rows)
    return done

"""Reads of what queues lived through: past days to learn from, this evening until now."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.rules.table_stays import Seated
from o2o.queueing.rules.wait_learning import AT_ONCE_SECONDS, PastDay, PastWait

# So many of the newest tickets are looked at; more say nothing new.
TICKETS_MAX = 20_000
SEATED_MAX = 600

_DUE = text(
    "SELECT q.id, q.servers, s.hours, s.timezone FROM queues q JOIN stores s ON s.id = q.store_id"
    " LEFT JOIN wait_models m ON m.queue_id = q.id"
    " WHERE m.learnt_at IS NULL OR m.learnt_at < :before"
    " ORDER BY m.learnt_at NULLS FIRST, q.id LIMIT :limit"
)
# Parties that were skipped, cancelled or moved never sat down. One who was called and never marked
# as seated did: a hall's clerk calls the next one, and presses nothing else.
_PAST = text(
    "SELECT t.business_on, t.taken_at, t.called_at, t.ahead_at_take,"
    " t.returns = 0 AND (t.status = 'seated' OR t.status IN ('called', 'expired') AND NOT EXISTS ("
    " SELECT 1 FROM ticket_moves m WHERE m.ticket_id = t.id AND m.to_status = 'skipped')) AS came"
    " FROM tickets t WHERE t.queue_id = :queue_id AND t.business_on BETWEEN :since AND :until"
    " AND t.called_at IS NOT NULL"
    " ORDER BY t.business_on DESC, t.called_at LIMIT :most"
)
_TONIGHT = text(
    "SELECT t.queue_id, t.called_at, t.ahead_at_take > 0"
    " OR t.called_at - t.taken_at > make_interval(secs => :at_once) AS waited"
    " FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS d(queue_id, business_on)"
    " JOIN LATERAL (SELECT * FROM tickets t WHERE t.queue_id = d.queue_id"
    " AND t.business_on = d.business_on AND t.called_at IS NOT NULL"
    " AND t.status NOT IN ('skipped', 'cancelled', 'moved')"
    " ORDER BY t.called_at DESC LIMIT :most) t ON true ORDER BY t.called_at"
)


class DueQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue whose waits are to be learnt anew."""

    queue_id: UUID
    servers: int
    hours: Mapping[str, Any]
    timezone: str


async def list_due_queues(tx: Tx, *, before: datetime, limit: int) -> list[DueQueue]:
    """Return the queues that were not learnt since `before`, the longest ago first."""
    rows = await tx.execute(_DUE, {"before": before, "limit": limit})
    return [
        DueQueue(queue_id=row.id, servers=row.servers, hours=row.hours, timezone=row.timezone)
        for row in rows
    ]


async def list_past_days(
    tx: Tx, queue_id: UUID, *, since: date, until: date, timezone: str
) -> list[PastDay]:
    """Return a queue's business days from `since` to `until`, both counted, oldest first."""
    rows = await tx.execute(
        _PAST, {"queue_id": queue_id, "since": since, "until": until, "most": TICKETS_MAX}
    )
    days: dict[date, list[PastWait]] = {}
    for row in rows:
        days.setdefault(row.business_on, []).append(
            PastWait(
                seconds_of_day(row.taken_at, day=row.business_on, timezone=timezone),
                row.ahead_at_take,
                seconds_of_day(row.called_at, day=row.business_on, timezone=timezone),
                row.came,
            )
        )
    return [PastDay(day.weekday(), days[day]) for day in sorted(days)]


class TonightOf(msgspec.Struct, frozen=True):
    """Whose evening is asked for: a queue, its business day, its store's zone."""

    queue_id: UUID
    business_on: date
    timezone: str


async def list_seated(tx: Tx, asked: Sequence[TonightOf]) -> dict[UUID, list[Seated]]:
    """Return who was called and came on these business days, by queue, in order."""
    rows = await fetch_rows(
        tx,
        _TONIGHT,
        {
            "queue_ids": [one.queue_id for one in asked],
            "days": [one.business_on for one in asked],
            "at_once": AT_ONCE_SECONDS,
            "most": SEATED_MAX,
        },
    )
    of = {one.queue_id: one for one in asked}
    seated: dict[UUID, list[Seated]] = {one.queue_id: [] for one in asked}
    for row in rows:
        one = of[row.queue_id]
        at = seconds_of_day(row.called_at, day=one.business_on, timezone=one.timezone)
        seated[row.queue_id].append(Seated(at, row.waited))
    return seated


def seconds_of_day(at: datetime, *, day: date, timezone: str) -> float:
    """Return the seconds from the midnight with which a business date begins to a moment."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    return at.timestamp() - midnight.timestamp()

"""How full stores are, many at once: their lines, who waits, what was called, who may join."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueKind, QueueStatus, TicketPriority
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.kernel.hours import next_opening
from o2o.queueing.queries.bridges import MachineNews, list_machine_news
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.rules.call_order import Turn, ahead_of_new
from o2o.queueing.rules.taking import is_serving
from o2o.queueing.rules.wait_estimate import WaitEstimate

_STORES = text(
    "SELECT s.id, s.account_id, s.name, s.hours, s.hours_exceptions, s.timezone,"
    " coalesce(c.ordinary_between, 2) AS ordinary_between,"
    " coalesce(c.has_member_priority, false) AS has_member_priority, q.id AS queue_id, q.kind,"
    " q.code, q.name AS queue_name, q.name_en, q.party_size_min, q.party_size_max, q.status"
    " FROM stores s LEFT JOIN queue_settings c ON c.store_id = s.id"
    " LEFT JOIN queues q ON q.store_id = s.id AND q.retired_at IS NULL"
    " WHERE s.id = ANY(CAST(:store_ids AS uuid[])) ORDER BY s.id, q.rank, q.code"
)
_DAYS = text(
    "SELECT a.queue_id, d.ordinary_since_priority, d.booked_in_a_row,"
    " w.people, w.ordinary, w.member, w.booked, c.number"
    " FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS a(queue_id, day)"
    " LEFT JOIN queue_days d ON d.queue_id = a.queue_id AND d.business_on = a.day"
    " CROSS JOIN LATERAL (SELECT coalesce(sum(t.party_size), 0) AS people,"
    "  count(*) FILTER (WHERE t.priority = 'ordinary') AS ordinary,"
    "  count(*) FILTER (WHERE t.priority = 'member') AS member,"
    "  count(*) FILTER (WHERE t.priority = 'booked') AS booked"
    "  FROM tickets t WHERE t.queue_id = a.queue_id AND t.business_on = a.day"
    "  AND t.status = 'waiting') w"
    " LEFT JOIN LATERAL (SELECT t.number FROM queue_calls l JOIN tickets t ON t.id = l.ticket_id"
    # A number that is called again does not say how far the line has come.
    "  WHERE l.queue_id = a.queue_id AND l.business_on = a.day AND l.kind = 'call'"
    "  ORDER BY l.seq DESC LIMIT 1) c"
    " ON true"
)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as somebody finds it who thinks of joining."""

    queue_id: UUID
    kind: QueueKind
    code: str
    name: str
    name_en: str
    party_size_min: int
    party_size_max: int
    status: QueueStatus
    # It gives numbers: it is open, and the store is.
    is_taking: bool
    people: int
    parties: int
    # Of a party that joins now without any priority.
    estimate: WaitEstimate | None
    # What was called last on this business day.
    last_number: int | None
    # Where the hall's own machine calls and has been silent for too long: since when.
    silent_since: datetime | None = None


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """A store as somebody finds it who thinks of going there."""

    store_id: UUID
    account_id: UUID
    name: str
    timezone: str
    is_open: bool
    # When the store begins to serve after now.
    next_opening_at: datetime | None
    has_member_priority: bool
    lines: tuple[Line, ...]

    @property
    def taking(self) -> tuple[Line, ...]:
        """The lines that give numbers now."""
        return tuple(line for line in self.lines if line.is_taking)

    @property
    def is_closed(self) -> bool:
        """Whether nothing gives numbers, and not for a pause only."""
        if not self.is_open:
            return True
        return all(line.status is QueueStatus.CLOSED for line in self.lines)

    @property
    def people(self) -> int:
        """How many people wait in all lines."""
        return sum(line.people for line in self.lines)

    @property
    def has_tables(self) -> bool:
        """Whether parties are seated by their size."""
        return any(line.kind is QueueKind.TABLE_CLASS for line in self.lines)

    def line(self, code: str) -> Line | None:
        """Return the line of that letter."""
        return next((line for line in self.lines if line.code == code), None)


async def list_crowds(tx: Tx, store_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Crowd]:
    """Return how full these stores are, in four statements however many they are."""
    wanted = sorted(set(store_ids))
    if not wanted:
        return {}
    rows = (await tx.execute(_STORES, {"store_ids": wanted})).all()
    lined = [row for row in rows if row.queue_id is not None]
    waiting = await _waiting(tx, lined, now)
    models = await estimate_waits(tx, [row.queue_id for row in lined], now=now)
    news = await list_machine_news(tx, wanted)
    crowds: dict[UUID, Crowd] = {}
    by_store: dict[UUID, list[Any]] = {}
    for row in rows:
        by_store.setdefault(row.id, []).append(row)
    for store_id, of_store in by_store.items():
        store = of_store[0]
        is_open = bool(_hours(store, now, is_serving))
        crowds[store_id] = Crowd(
            store_id=store_id,
            account_id=store.account_id,
            name=store.name,
            timezone=store.timezone,
            is_open=is_open,
            next_opening_at=_hours(store, now, next_opening),
            has_member_priority=store.has_member_priority,
            lines=tuple(
                _as_the_machine_says(
                    _line(row, waiting[row.queue_id], models.get(row.queue_id), is_open=is_open),
                    news.get(row.queue_id),
                    model=models.get(row.queue_id),
                    now=now,
                )
                for row in of_store
                if row.queue_id is not None
            ),
        )
    return crowds


async def _waiting(tx: Tx, lined: Sequence[Any], now: datetime) -> dict[UUID, Any]:
    if not lined:
        return {}
    days = [business_day(now, hours=row.hours, timezone=row.timezone) for row in lined]
    rows = await tx.execute(_DAYS, {"queue_ids": [row.queue_id for row in lined], "days": days})
    return {row.queue_id: row for row in rows}


def _hours(store: Any, now: datetime, ask: Any) -> Any:
    return ask(now, hours=store.hours, timezone=store.timezone, exceptions=store.hours_exceptions)


def _line(row: Any, waiting: Any, model: Any, *, is_open: bool) -> Line:
    counts = {
        TicketPriority.ORDINARY: waiting.ordinary,
        TicketPriority.MEMBER: waiting.member,
        TicketPriority.BOOKED: waiting.booked,
    }
    turn = Turn(ordinary_between=row.ordinary_between)
    if waiting.ordinary_since_priority is not None:
        turn = msgspec.structs.replace(
            turn,
            ordinary_since_priority=waiting.ordinary_since_priority,
            booked_in_a_row=waiting.booked_in_a_row,
        )
    ahead = ahead_of_new(counts, TicketPriority.ORDINARY, turn)
    status = QueueStatus(row.status)
    return Line(
        queue_id=row.queue_id,
        kind=QueueKind(row.kind),
        code=row.code,
        name=row.queue_name,
        name_en=row.name_en,
        party_size_min=row.party_size_min,
        party_size_max=row.party_size_max,
        status=status,
        is_taking=is_open and status is QueueStatus.OPEN,
        people=waiting.people,
        parties=sum(counts.values()),
        estimate=model.estimate(ahead) if model is not None else None,
        last_number=waiting.number,
    )


def _as_the_machine_says(
    line: Line, said: MachineNews | None, *, model: Any, now: datetime
) -> Line:
    """Where a machine calls, its numbers count; it knows parties, not how many people they are."""
    if said is None:
        return line
    return msgspec.structs.replace(
        line,
        people=said.waiting,
        parties=said.waiting,
        estimate=model.estimate(said.waiting) if model is not None else None,
        last_number=said.called_number,
        silent_since=said.heard_at if said.is_silent(now) else None,
    )

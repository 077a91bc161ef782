"""Reads of tickets as their parties and clerks see them, with how many are ahead of each."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueKind, TicketPriority, TicketSource, TicketStatus
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.queueing.commands import ticket_code
from o2o.queueing.errors import TicketNotFound
from o2o.queueing.queries.bridges import at_machine_on
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.rules.call_order import order_of_calls, positions_told
from o2o.queueing.rules.wait_estimate import WaitEstimate

LIST_MAX = 20_000


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket now. `parties_ahead` and `estimate` are None unless it waits."""

    ticket_id: UUID
    # As people read it: B019.
    code: str
    number: int
    store_id: UUID
    store_name: str
    brand_id: UUID
    queue_id: UUID
    queue_name: str
    queue_name_en: str
    queue_kind: QueueKind
    party_size: int
    status: TicketStatus
    priority: TicketPriority
    source: TicketSource
    parties_ahead: int | None
    estimate: WaitEstimate | None
    # Where it was called to last.
    desk: str | None
    called_at: datetime | None
    recalled_at: datetime | None
    taken_at: datetime
    ended_at: datetime | None
    # What was promised when the number was taken, from then on.
    promise: WaitEstimate | None
    # It missed its call and may go back into the line.
    can_return: bool
    # The ticket of another queue as which it goes on, once moved.
    moved_to_id: UUID | None
    booking_id: UUID | None
    member_id: UUID | None
    fan_id: UUID | None
    business_on: date
    version: int


class _Place(msgspec.Struct, frozen=True):
    ticket_id: UUID
    priority: TicketPriority
    place: int
    ahead_at_machine: int | None


_VIEWS = (
    "SELECT t.id, t.number, t.store_id, t.queue_id, t.business_on, t.party_size, t.status,"
    " t.priority, t.source, t.place, t.returns, t.member_id, t.fan_id, t.booking_id, t.taken_at,"
    " t.called_at, t.recalled_at, t.ended_at, t.promised_low_seconds, t.promised_median_seconds,"
    " t.promised_high_seconds, q.code, q.name AS queue_name, q.name_en, q.kind, s.name AS"
    " store_name, s.brand_id, s.hours, s.timezone, coalesce(c.returns_max, 1) AS returns_max,"
    " coalesce(d.version, 0) AS version,"
    " (SELECT k.desk FROM queue_calls k WHERE k.ticket_id = t.id ORDER BY k.seq DESC LIMIT 1)"
    " AS desk,"
    " (SELECT n.id FROM tickets n WHERE t.status = 'moved' AND n.moved_from_id = t.id LIMIT 1)"
    " AS moved_to_id"
    " FROM tickets t JOIN queues q ON q.id = t.queue_id JOIN stores s ON s.id = t.store_id"
    " LEFT JOIN queue_settings c ON c.store_id = t.store_id"
    " LEFT JOIN queue_days d ON d.queue_id = t.queue_id AND d.business_on = t.business_on"
)
_BY_ID = text(f"{_VIEWS} WHERE t.id = :ticket_id")
_OF_PERSON = text(
    f"{_VIEWS} WHERE (t.member_id = :member_id OR t.fan_id = :fan_id)"
    " AND (CAST(:store_id AS uuid) IS NULL OR t.store_id = :store_id)"
    " AND t.ended_at IS NULL ORDER BY t.status = 'skipped', t.taken_at DESC"
)
_ACTIVE = text(
    f"{_VIEWS} WHERE t.queue_id = :queue_id AND t.business_on = :business_on"
    " AND t.status = ANY(CAST(:statuses AS text[])) ORDER BY t.place LIMIT :most"
)
_DAY_OF = text(
    "SELECT s.hours, s.timezone FROM queues q JOIN stores s ON s.id = q.store_id WHERE q.id = :id"
)
_WAITING = text(
    "SELECT t.queue_id, t.business_on, t.id, t.priority, t.place, t.ahead_at_machine"
    " FROM tickets t"
    " JOIN unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS k(queue_id, business_on)"
    " ON t.queue_id = k.queue_id AND t.business_on = k.business_on"
    " WHERE t.status = 'waiting' LIMIT :most"
)
_TURNS = text(
    "SELECT d.queue_id, d.business_on, d.ordinary_since_priority, d.booked_in_a_row,"  # noqa: S608 - our own text
    " coalesce(c.ordinary_between, 2) AS ordinary_between,"
    f" {at_machine_on('d.business_on')} AS at_machine"
    " FROM queue_days d JOIN queues q ON q.id = d.queue_id"
    " LEFT JOIN queue_settings c ON c.store_id = q.store_id"
    " JOIN unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS k(queue_id, business_on)"
    " ON d.queue_id = k.queue_id AND d.business_on = k.business_on"
)


async def get_ticket(
    tx: Tx, ticket_id: UUID, *, now: datetime, brand_id: UUID | None = None
) -> TicketView:
    """Return a ticket, of that brand if one is named. Raises TicketNotFound."""
    row = (await tx.execute(_BY_ID, {"ticket_id": ticket_id})).one_or_none()
    if row is None or brand_id not in {None, row.brand_id}:
        raise TicketNotFound(ticket_id=ticket_id)
    [view] = await _views(tx, [row], now=now)
    return view


async def find_active_ticket(
    tx: Tx,
    *,
    store_id: UUID | None = None,
    member_id: UUID | None = None,
    fan_id: UUID | None = None,
    now: datetime,
) -> TicketView | None:
    """Return the number that a person has today, waiting or called; else one that may return.

    The latest where somebody has one in several stores.
    """
    if member_id is None and fan_id is None:
        return None
    asked = {"store_id": store_id, "member_id": member_id, "fan_id": fan_id}
    rows = [row for row in await tx.execute(_OF_PERSON, asked) if _is_of_today(row, now)]
    views = await _views(tx, rows[:1], now=now)
    return views[0] if views and (views[0].status is not _SKIPPED or views[0].can_return) else None


async def list_active_tickets(tx: Tx, *, queue_id: UUID, now: datetime) -> list[TicketView]:
    """Return who was called and is not here yet, then who waits, in the order of calls."""
    day = (await tx.execute(_DAY_OF, {"id": queue_id})).one_or_none()
    if day is None:
        return []
    rows = await tx.execute(
        _ACTIVE,
        {
            "queue_id": queue_id,
            "business_on": business_day(now, hours=day.hours, timezone=day.timezone),
            "statuses": [TicketStatus.WAITING.value, TicketStatus.CALLED.value],
            "most": LIST_MAX,
        },
    )
    views = await _views(tx, rows.all(), now=now)
    called = [view for view in views if view.status is TicketStatus.CALLED]
    waiting = [view for view in views if view.status is TicketStatus.WAITING]
    return [
        *sorted(called, key=lambda view: view.recalled_at or view.taken_at),
        *sorted(waiting, key=lambda view: view.parties_ahead or 0),
    ]


async def positions(tx: Tx, queue_id: UUID, *, now: datetime) -> dict[UUID, int]:
    """Return how many parties are ahead of each ticket that waits in a queue."""
    day = (await tx.execute(_DAY_OF, {"id": queue_id})).one_or_none()
    if day is None:
        return {}
    key = (queue_id, business_day(now, hours=day.hours, timezone=day.timezone))
    return await list_positions(tx, [key])


async def list_positions(tx: Tx, keys: Iterable[tuple[UUID, date]]) -> dict[UUID, int]:
    """Return how many parties are ahead of each ticket that waits on these queues' days."""
    wanted = list(set(keys))
    if not wanted:
        return {}
    arrays = {"queue_ids": [queue for queue, _ in wanted], "days": [day for _, day in wanted]}
    turns = (await tx.execute(_TURNS, arrays)).all()
    waiting: dict[tuple[UUID, date], list[_Place]] = {}
    for row in await tx.execute(_WAITING, {**arrays, "most": LIST_MAX}):
        place = _Place(row.id, TicketPriority(row.priority), row.place, row.ahead_at_machine)
        waiting.setdefault((row.queue_id, row.business_on), []).append(place)
    found: dict[UUID, int] = {}
    for turn in turns:
        order = order_of_calls(
            waiting.get((turn.queue_id, turn.business_on), []),
            ordinary_since_priority=turn.ordinary_since_priority,
            ordinary_between=turn.ordinary_between,
            booked_in_a_row=turn.booked_in_a_row,
        )
        found |= positions_told(order, at_machine=turn.at_machine)
    return found


_SKIPPED = TicketStatus.SKIPPED


def _is_of_today(row: Any, now: datetime) -> bool:
    today = business_day(now, hours=row.hours, timezone=row.timezone)
    return bool(row.business_on == today)


async def _views(tx: Tx, rows: Sequence[Any], *, now: datetime) -> list[TicketView]:
    waits = [row for row in rows if row.status == TicketStatus.WAITING]
    ahead = await list_positions(tx, [(row.queue_id, row.business_on) for row in waits])
    models = await estimate_waits(tx, list({r.queue_id for r in waits}), now=now) if waits else {}
    views = []
    for row in rows:
        parties = ahead.get(row.id)
        model = models.get(row.queue_id)
        estimate = model.estimate(parties) if model is not None and parties is not None else None
        views.append(_view(row, parties, estimate, now=now))
    return views


def _view(
    row: Any, parties_ahead: int | None, estimate: WaitEstimate | None, *, now: datetime
) -> TicketView:
    promise = None
    if row.promised_median_seconds is not None:
        promise = WaitEstimate(
            row.promised_low_seconds, row.promised_median_seconds, row.promised_high_seconds
        )
    status = TicketStatus(row.status)
    may_return = row.returns < row.returns_max and _is_of_today(row, now)
    return TicketView(
        ticket_id=row.id,
        code=ticket_code(row.code, row.number),
        number=row.number,
        store_id=row.store_id,
        store_name=row.store_name,
        brand_id=row.brand_id,
        queue_id=row.queue_id,
        queue_name=row.queue_name,
        queue_name_en=row.name_en,
        queue_kind=QueueKind(row.kind),
        party_size=row.party_size,
        status=status,
        priority=TicketPriority(row.priority),
        source=TicketSource(row.source),
        parties_ahead=parties_ahead,
        estimate=estimate,
        desk=row.desk,
        called_at=row.called_at,
        recalled_at=row.recalled_at,
        taken_at=row.taken_at,
        ended_at=row.ended_at,
        promise=promise,
        can_return=status is _SKIPPED and may_return,
        moved_to_id=row.moved_to_id,
        booking_id=row.booking_id,
        member_id=row.member_id,
        fan_id=row.fan_id,
        business_on=row.business_on,
        version=row.version,
    )

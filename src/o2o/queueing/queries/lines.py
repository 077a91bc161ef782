"""Reads of whole lines: who waits in which order, how full, how long: for notices and streams."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TicketPriority
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.queries.bridges import at_machine_on
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.rules.call_order import Turn, in_turn, positions_told
from o2o.queueing.rules.wait_estimate import WaitModel

LineKey = tuple[UUID, date]

_DAYS = text(
    "SELECT d.queue_id, d.business_on, d.version, d.ordinary_since_priority, d.booked_in_a_row,"  # noqa: S608 - our own text
    " q.store_id, coalesce(c.ordinary_between, 2) AS ordinary_between,"
    " coalesce(c.notice_parties, 3) AS notice_parties,"
    " coalesce(c.notice_minutes, 10) AS notice_minutes,"
    f" {at_machine_on('d.business_on')} AS at_machine"
    " FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS a(queue_id, day)"
    " JOIN queue_days d ON d.queue_id = a.queue_id AND d.business_on = a.day"
    " JOIN queues q ON q.id = d.queue_id LEFT JOIN queue_settings c ON c.store_id = q.store_id"
)
_WAITING = text(
    "SELECT t.queue_id, t.business_on, t.id, t.priority, t.place, t.travel_seconds,"
    " t.told_soon_at IS NULL AND (t.fan_id IS NOT NULL OR t.member_id IS NOT NULL) AS is_untold,"
    " t.ahead_at_machine"
    " FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS a(queue_id, day)"
    " JOIN tickets t ON t.queue_id = a.queue_id AND t.business_on = a.day"
    " AND t.status = 'waiting'"
)
_PRIORITIES = {priority.value: priority for priority in TicketPriority}
# Lines of the last days in which somebody waits who has not been told.
_UNTOLD_LINES = text(
    "SELECT DISTINCT queue_id, business_on FROM tickets"
    " WHERE status = 'waiting' AND told_soon_at IS NULL AND business_on >= :since"
    " AND (fan_id IS NOT NULL OR member_id IS NOT NULL)"
)


class WaitingTicket(msgspec.Struct, frozen=True):
    """One who waits, as far as order and notices go."""

    ticket_id: UUID
    priority: TicketPriority
    place: int
    travel_seconds: int | None
    # May be told that it is almost its turn, and was not.
    is_untold: bool
    # By the hall's own machine, where one calls and has taken the ticket in.
    ahead_at_machine: int | None


class LineState(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's day as it stands at one version."""

    store_id: UUID
    version: int
    notice_parties: int
    notice_minutes: int
    # How many wait at the hall's own machine by its count; None where none calls.
    at_machine: int | None
    # In the order of calls.
    order: Sequence[WaitingTicket]
    model: WaitModel

    @property
    def places(self) -> dict[UUID, int]:
        """How many are ahead of each ticket, as its party is told."""
        return positions_told(self.order, at_machine=self.at_machine)


async def list_lines(
    tx: Tx, keys: Collection[LineKey], *, now: datetime
) -> dict[LineKey, LineState]:
    """Return these lines, as far as their day has begun, in three statements however many."""
    arrays: Mapping[str, Any] = {
        "queue_ids": [queue_id for queue_id, _ in keys],
        "days": [day for _, day in keys],
    }
    # The days first: who is read after them is of that version or of a later one, and a later one
    # is told of by an event of its own.
    days = await fetch_rows(tx, _DAYS, arrays)
    if not days:
        return {}
    waiting: dict[LineKey, list[WaitingTicket]] = {}
    # Thousands of rows at every change of a full house: taken apart by place, not by name.
    for queue_id, day, ticket_id, priority, *rest in await fetch_rows(tx, _WAITING, arrays):
        ticket = WaitingTicket(ticket_id, _PRIORITIES[priority], *rest)
        waiting.setdefault((queue_id, day), []).append(ticket)
    models = await estimate_waits(tx, list({row.queue_id for row in days}), now=now)
    return {
        (row.queue_id, row.business_on): _state(
            row, waiting.get((row.queue_id, row.business_on), []), models[row.queue_id]
        )
        for row in days
        if row.queue_id in models
    }


def _state(row: Any, waiting: list[WaitingTicket], model: WaitModel) -> LineState:
    turn = Turn(
        ordinary_since_priority=row.ordinary_since_priority,
        booked_in_a_row=row.booked_in_a_row,
        ordinary_between=row.ordinary_between,
    )
    return LineState(
        store_id=row.store_id,
        version=row.version,
        notice_parties=row.notice_parties,
        notice_minutes=row.notice_minutes,
        at_machine=row.at_machine,
        order=in_turn(waiting, turn),
        model=model,
    )


async def list_untold_lines(tx: Tx, *, since: date) -> list[LineKey]:
    """Return the lines since a day in which somebody may still have to be told to come."""
    rows = await tx.execute(_UNTOLD_LINES, {"since": since})
    return [(row.queue_id, row.business_on) for row in rows]

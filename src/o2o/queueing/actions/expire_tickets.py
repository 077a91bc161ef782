"""End what a business day left over, and what waits in vain after a store has closed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx
from o2o.queueing.actions.keep_days import keep_days, tell_of_days
from o2o.queueing.actions.write_moves import write_moves
from o2o.queueing.days import DayKey, QueueFacts
from o2o.queueing.events import TicketEnded
from o2o.queueing.queries.days import list_queue_facts, lock_days
from o2o.queueing.queries.held_tickets import list_open
from o2o.queueing.queries.left_over import list_left_over_days, list_waiting_days
from o2o.queueing.rules.taking import is_serving, last_closing
from o2o.queueing.standing import Clockwork, Standing

NOT_ENDED = (TicketStatus.WAITING, TicketStatus.CALLED, TicketStatus.SKIPPED)
DAYS_MAX = 200
STORE_CLOSED = "store_closed"


async def expire_tickets(tx: Tx, now: datetime) -> None:
    """End the tickets of business days that are over, at most 200 queues at a time.

    Publishes ticket.ended and queue.changed.
    """
    days = await list_left_over_days(tx, now=now, most=DAYS_MAX)
    await expire_days(tx, days, now=now)


async def expire_days(tx: Tx, keys: Collection[DayKey], *, now: datetime) -> None:
    """End whatever has not ended on these days. Publishes ticket.ended and queue.changed."""
    await _end(tx, keys, to=TicketStatus.EXPIRED, verb="expired", by=Clockwork(now=now))


async def cancel_after_close(tx: Tx, now: datetime) -> None:
    """Send those home who wait where the store has closed and does not serve them still.

    Whoever booked and came before the store opens waits for that, not since it closed. Publishes
    ticket.ended, by the store, and queue.changed.
    """
    waiting = await list_waiting_days(tx, now=now)
    facts = await list_queue_facts(tx, queue_ids=[queue_id for queue_id, _ in waiting])
    closings = {key: _closing(facts[key[0]], now) for key in waiting}
    closed = {key: at for key, at in closings.items() if at is not None}
    await cancel_waiting(
        tx, list(closed)[:DAYS_MAX], now=now, reason=STORE_CLOSED, taken_before=closed
    )


def _closing(queue: QueueFacts, now: datetime) -> datetime | None:
    """Return when a store closed that is closed now; None while it serves."""
    when: dict[str, Any] = {
        "hours": queue.hours,
        "exceptions": queue.hours_exceptions,
        "timezone": queue.timezone,
    }
    return None if is_serving(now, **when) else last_closing(now, **when)


async def cancel_waiting(
    tx: Tx,
    keys: Collection[DayKey],
    *,
    now: datetime,
    reason: str,
    staff_id: UUID | None = None,
    taken_before: Mapping[DayKey, datetime] | None = None,
) -> int:
    """Cancel all who wait on these days for the store; return how many they are.

    With `taken_before` only those who took their number before that moment of their day.
    """
    return await _end(
        tx,
        keys,
        to=TicketStatus.CANCELLED,
        verb="cancelled",
        by=Clockwork(now=now, staff_id=staff_id),
        reason=reason,
        statuses=(TicketStatus.WAITING,),
        taken_before=taken_before,
    )


async def _end(
    tx: Tx,
    keys: Collection[DayKey],
    *,
    to: TicketStatus,
    verb: str,
    by: Clockwork,
    reason: str | None = None,
    statuses: Sequence[TicketStatus] = NOT_ENDED,
    taken_before: Mapping[DayKey, datetime] | None = None,
) -> int:
    if not keys:
        return 0
    facts = await list_queue_facts(tx, queue_ids=[queue_id for queue_id, _ in keys])
    days = await lock_days(tx, keys, facts, begins=False)
    tickets = await list_open(tx, days.keys(), statuses=statuses)
    if taken_before is not None:
        tickets = [ticket for ticket in tickets if ticket.taken_at < taken_before[ticket.key]]
    for ticket in tickets:
        day = days[ticket.key]
        day.is_changed = True
        if ticket.status is TicketStatus.WAITING:
            day.count(ticket.priority, -1)
        ticket.move(to, verb, by=by, reason=reason)
    await write_moves(tx, tickets)
    await keep_days(tx, days.values())
    by_store = to is TicketStatus.CANCELLED
    ended = [_ended(ticket, by_store=by_store, at=by.now) for ticket in tickets]
    await tell_of_days(tx, days.values(), ended, now=by.now)
    return len(tickets)


def _ended(ticket: Standing, *, by_store: bool, at: datetime) -> TicketEnded:
    return TicketEnded(
        ticket_id=ticket.ticket_id,
        queue_id=ticket.queue_id,
        store_id=ticket.store_id,
        status=ticket.status.value,
        by_store=by_store,
        at=at,
    )

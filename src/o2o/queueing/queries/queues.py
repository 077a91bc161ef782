"""Reads of queues as people see them: open or not, who was called last, how many wait, how long."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.queueing import QueueSettings
from o2o.crm.statuses import QueueKind, QueueStatus, TicketPriority
from o2o.infra.database import Tx
from o2o.kernel.hours import next_opening
from o2o.queueing.commands import ticket_code
from o2o.queueing.days import QueueFacts
from o2o.queueing.errors import QueueNotFound
from o2o.queueing.queries.bridges import MachineNews, list_machine_news
from o2o.queueing.queries.days import list_queue_facts
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.rules.call_order import Turn, ahead_of_new
from o2o.queueing.rules.taking import REACH_M_USUAL, fitting, is_serving, size_refusal
from o2o.queueing.rules.wait_estimate import WaitEstimate


class QueueState(msgspec.Struct, frozen=True, kw_only=True):
    """A queue now."""

    queue_id: UUID
    store_id: UUID
    kind: QueueKind
    # The letter before its numbers.
    code: str
    name: str
    name_en: str
    status: QueueStatus
    # Whether it gives numbers now: open, and the store is too.
    is_taking: bool
    # When the store opens next, while it is closed.
    next_opening_at: datetime | None
    party_size_min: int
    party_size_max: int
    # Parties.
    waiting: int
    last_called_number: int | None
    # As people read it: B019.
    last_called_code: str | None
    last_called_at: datetime | None
    version: int
    business_on: date
    # For an ordinary party that joins now, who would have so many ahead of it.
    parties_ahead: int
    estimate: WaitEstimate | None
    # Where the hall's own machine calls: when it was last heard, and whether that is too long ago.
    machine_heard_at: datetime | None = None
    is_machine_silent: bool = False


_DAYS = text(
    "SELECT d.queue_id, d.ordinary_since_priority, d.booked_in_a_row, d.waiting_ordinary,"
    " d.waiting_member, d.waiting_booked, d.version, c.number, c.called_at"
    " FROM queue_days d"
    " JOIN unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS k(queue_id, business_on)"
    " ON d.queue_id = k.queue_id AND d.business_on = k.business_on"
    " LEFT JOIN LATERAL (SELECT t.number, c.called_at FROM queue_calls c"
    " JOIN tickets t ON t.id = c.ticket_id"
    " WHERE c.queue_id = d.queue_id AND c.business_on = d.business_on AND c.kind = 'call'"
    " ORDER BY c.seq DESC LIMIT 1) c ON true"
)


async def list_queues(tx: Tx, store_id: UUID, *, now: datetime) -> list[QueueState]:
    """Return the queues of a store that are in use, by rank; none for an unknown store."""
    facts = await list_queue_facts(tx, store_ids=[store_id])
    return await _states(tx, [queue for queue in facts.values() if queue.is_in_use], now=now)


async def list_queues_of_stores(
    tx: Tx, store_ids: Iterable[UUID], *, now: datetime
) -> dict[UUID, list[QueueState]]:
    """Return the queues of several stores, each by rank."""
    facts = await list_queue_facts(tx, store_ids=store_ids)
    states = await _states(tx, [queue for queue in facts.values() if queue.is_in_use], now=now)
    found: dict[UUID, list[QueueState]] = {store_id: [] for store_id in store_ids}
    for state in states:
        found[state.store_id].append(state)
    return found


async def get_queue_state(
    tx: Tx, queue_id: UUID, *, now: datetime, brand_id: UUID | None = None
) -> QueueState:
    """Return a queue, of that brand if one is named. Raises QueueNotFound."""
    facts = (await list_queue_facts(tx, queue_ids=[queue_id])).get(queue_id)
    if facts is None or brand_id not in {None, facts.brand_id}:
        raise QueueNotFound(queue_id=queue_id)
    [state] = await _states(tx, [facts], now=now)
    return state


def choose_queue(states: Sequence[QueueState], party_size: int) -> QueueState:
    """Return the queue for a party of that size: the narrowest that gives numbers now.

    When none of those that fit does, the narrowest. Raises PartySizeOutOfRange, QueueNotFound.
    """
    if not states:
        raise QueueNotFound
    fits = fitting(states, party_size)
    if not fits:
        raise size_refusal(states)
    return next((state for state in fits if state.is_taking), fits[0])


async def get_settings(tx: Tx, store_id: UUID) -> QueueSettings:
    """Return how a store queues; of one that never said, the usual settings, not kept."""
    settings: QueueSettings | None = await tx.scalar(
        select(QueueSettings).where(QueueSettings.store_id == store_id)
    )
    return settings or QueueSettings(
        store_id=store_id,
        distance_m_max=None,
        reach_m=REACH_M_USUAL,
        notice_parties=3,
        notice_minutes=10,
        return_behind=3,
        returns_max=1,
        ordinary_between=2,
        has_member_priority=False,
        serves_waiting_after_close=True,
        apology=None,
        door_edition=1,
        display_edition=1,
    )


async def _states(tx: Tx, queues: Sequence[QueueFacts], *, now: datetime) -> list[QueueState]:
    if not queues:
        return []
    rows = await tx.execute(
        _DAYS,
        {
            "queue_ids": [queue.queue_id for queue in queues],
            "days": [queue.business_on(now) for queue in queues],
        },
    )
    days = {row.queue_id: row for row in rows}
    models = await estimate_waits(tx, [queue.queue_id for queue in queues], now=now)
    news = await list_machine_news(tx, {queue.store_id for queue in queues})
    states = []
    for queue in queues:
        row = days.get(queue.queue_id)
        said = news.get(queue.queue_id)
        ahead = said.waiting if said else _ahead(queue, row)
        model = models.get(queue.queue_id)
        estimate = model.estimate(ahead) if model else None
        state = _state(queue, row, ahead=ahead, estimate=estimate, now=now)
        states.append(_as_the_machine_says(state, said, now=now) if said else state)
    return states


def _as_the_machine_says(state: QueueState, said: MachineNews, *, now: datetime) -> QueueState:
    """Where a machine calls, its numbers are the ones that people hear."""
    number = said.called_number
    return msgspec.structs.replace(
        state,
        waiting=said.waiting,
        last_called_number=number,
        last_called_code=ticket_code(state.code, number) if number else None,
        last_called_at=said.called_at,
        machine_heard_at=said.heard_at,
        is_machine_silent=said.is_silent(now),
    )


def _ahead(queue: QueueFacts, row: Any) -> int:
    if row is None:
        return 0
    turn = Turn(
        ordinary_since_priority=row.ordinary_since_priority,
        booked_in_a_row=row.booked_in_a_row,
        ordinary_between=queue.ordinary_between,
    )
    waiting = {
        TicketPriority.ORDINARY: row.waiting_ordinary,
        TicketPriority.MEMBER: row.waiting_member,
        TicketPriority.BOOKED: row.waiting_booked,
    }
    return ahead_of_new(waiting, TicketPriority.ORDINARY, turn)


def _state(
    queue: QueueFacts, row: Any, *, ahead: int, estimate: WaitEstimate | None, now: datetime
) -> QueueState:
    is_open = is_serving(
        now, hours=queue.hours, exceptions=queue.hours_exceptions, timezone=queue.timezone
    )
    number = row.number if row is not None else None
    return QueueState(
        queue_id=queue.queue_id,
        store_id=queue.store_id,
        kind=queue.kind,
        code=queue.letter,
        name=queue.name,
        name_en=queue.name_en,
        status=queue.status,
        is_taking=is_open and queue.status is QueueStatus.OPEN and queue.is_in_use,
        next_opening_at=None
        if is_open
        else next_opening(
            now,
            hours=queue.hours,
            timezone=queue.timezone,
            exceptions=queue.hours_exceptions,
        ),
        party_size_min=queue.party_size_min,
        party_size_max=queue.party_size_max,
        waiting=0
        if row is None
        else row.waiting_ordinary + row.waiting_member + row.waiting_booked,
        last_called_number=number,
        last_called_code=ticket_code(queue.letter, number) if number else None,
        last_called_at=row.called_at if row is not None else None,
        version=row.version if row is not None else 0,
        business_on=queue.business_on(now),
        parties_ahead=ahead,
        estimate=estimate,
    )

"""Do something to tickets: call again, skip, back into the line, seat, cancel."""

from collections.abc import Sequence
from uuid import UUID

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.actions.keep_days import keep_days, tell_of_days
from o2o.queueing.actions.write_moves import write_moves
from o2o.queueing.commands import MovedTicket, MoveTicket, Verb
from o2o.queueing.days import Day, DayKey, QueueFacts
from o2o.queueing.move_batch import REVIVING, MoveBatch, days_coming_back, waiting_by_day
from o2o.queueing.queries.days import list_queue_facts, lock_days
from o2o.queueing.queries.held_tickets import (
    list_days_of,
    list_earlier_calls,
    list_earlier_steps,
    list_heads,
    list_last_desks,
    list_others,
    list_standing,
)

__all__ = [
    "MoveTicket",
    "MovedTicket",
    "Verb",
    "cancel_tickets",
    "move_tickets",
    "recall_tickets",
    "return_tickets",
    "seat_tickets",
    "skip_tickets",
]

Asked = tuple[Verb, MoveTicket]


async def recall_tickets(tx: Tx, commands: Sequence[MoveTicket]) -> list[MovedTicket | Fact]:
    """Call again who was called and is not here yet, or was skipped."""
    return await move_tickets(tx, [(Verb.RECALL, command) for command in commands])


async def skip_tickets(tx: Tx, commands: Sequence[MoveTicket]) -> list[MovedTicket | Fact]:
    """Pass over who was called and did not come."""
    return await move_tickets(tx, [(Verb.SKIP, command) for command in commands])


async def return_tickets(tx: Tx, commands: Sequence[MoveTicket]) -> list[MovedTicket | Fact]:
    """Put who missed the call back into the line, behind as many parties as the store set."""
    return await move_tickets(tx, [(Verb.RETURN, command) for command in commands])


async def seat_tickets(tx: Tx, commands: Sequence[MoveTicket]) -> list[MovedTicket | Fact]:
    """End the wait: the party is served."""
    return await move_tickets(tx, [(Verb.SEAT, command) for command in commands])


async def cancel_tickets(tx: Tx, commands: Sequence[MoveTicket]) -> list[MovedTicket | Fact]:
    """End the wait: the party left, or the store sends it home."""
    return await move_tickets(tx, [(Verb.CANCEL, command) for command in commands])


async def move_tickets(tx: Tx, asked: Sequence[Asked]) -> list[MovedTicket | Fact]:
    """Answer each command in order; several on one ticket see each other's effect.

    Facts: TicketNotFound (also for whoever's it is not), TicketNotActive, TicketNotCalled,
    NumberPassed, TicketWaitsAlready, ReturnsExhausted, QueueNotOpen, TicketAlreadyActive,
    DeskUnreadable, RequestBodyDiffers. Publishes ticket.called, ticket.ended, and queue.changed
    once per queue.
    """
    commands = [command for _, command in asked]
    days_of = await list_days_of(tx, [command.ticket_id for command in commands])
    # All queues of the store: coming back must not meet another number of the same person.
    facts = await list_queue_facts(tx, sibling_ids={key[0] for key in days_of.values()})
    days = await lock_days(tx, _to_lock(asked, days_of, facts), facts, begins=False)
    if any(verb is Verb.RETURN for verb, _ in asked):
        await _look_again(tx, days)
    batch = await _read(tx, asked, days_of=days_of, days=days)
    outcomes = [batch.decide(verb, command) for verb, command in asked]
    numbers = await write_moves(tx, batch.tickets.values(), batch.calls)
    if batch.is_changed:
        await keep_days(tx, days.values())
        now = max(command.now for command in commands)
        await tell_of_days(tx, days.values(), batch.told(numbers), now=now)
    return [
        outcome if isinstance(outcome, Fact) else batch.answer(outcome, numbers)
        for outcome in outcomes
    ]


async def _look_again(tx: Tx, days: dict[DayKey, Day]) -> None:
    """Read the queues once more: one may have closed while its day was waited for."""
    facts = await list_queue_facts(tx, queue_ids={queue_id for queue_id, _ in days})
    for (queue_id, _), day in days.items():
        day.queue = facts[queue_id]


def _to_lock(
    asked: Sequence[Asked], days_of: dict[UUID, DayKey], facts: dict[UUID, QueueFacts]
) -> set[DayKey]:
    keys: set[DayKey] = set()
    for verb, command in asked:
        key = days_of.get(command.ticket_id)
        if key is None:
            continue
        keys.add(key)
        if verb in REVIVING:
            store_id = facts[key[0]].store_id
            keys |= {(q, key[1]) for q, queue in facts.items() if queue.store_id == store_id}
    return keys


async def _read(
    tx: Tx, asked: Sequence[Asked], *, days_of: dict[UUID, DayKey], days: dict[DayKey, Day]
) -> MoveBatch:
    """Read under the locks what the batch is decided by."""
    request_ids = [command.request_id for _, command in asked]
    batch = MoveBatch(
        days=days,
        tickets=await list_standing(tx, days_of.keys()),
        earlier_steps=await list_earlier_steps(tx, request_ids),
        earlier_calls=await list_earlier_calls(tx, request_ids),
    )
    heads = await list_heads(tx, days_coming_back(asked, days_of))
    batch.waiting = waiting_by_day(heads, batch.tickets)
    reviving = {command.ticket_id for verb, command in asked if verb in REVIVING}
    revived = [ticket for ticket in batch.tickets.values() if ticket.ticket_id in reviving]
    if revived:
        batch.others = await list_others(tx, revived)
        batch.desks = await list_last_desks(tx, reviving)
    return batch

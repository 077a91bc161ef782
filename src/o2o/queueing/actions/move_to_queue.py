"""Let parties go on in another queue of their store, as if they had taken their number there."""

from collections.abc import Sequence
from uuid import UUID

from o2o.crm.statuses import QueueStatus, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers, body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.events import Event
from o2o.kernel.ids import new_id
from o2o.queueing.actions.insert_tickets import NewTicket, insert_tickets
from o2o.queueing.actions.keep_days import tell_of_days
from o2o.queueing.actions.write_moves import write_moves
from o2o.queueing.commands import MoveToQueue, TakenTicket
from o2o.queueing.days import PLACE_STEP, Day, DayKey, QueueFacts
from o2o.queueing.errors import (
    NumberPassed,
    PartySizeOutOfRange,
    QueueNotFound,
    QueueNotOpen,
    SameQueue,
    TicketNotActive,
    TicketNotFound,
)
from o2o.queueing.events import TicketEnded, TicketTaken
from o2o.queueing.queries.days import get_queue_status, list_queue_facts, lock_days
from o2o.queueing.queries.held_tickets import list_days_of, list_heads, list_standing
from o2o.queueing.queries.known_tickets import list_known_requests
from o2o.queueing.rules.call_order import in_turn, positions_of
from o2o.queueing.rules.places import place_by_time
from o2o.queueing.standing import ACTIVE, Standing

__all__ = ["MoveToQueue", "TakenTicket", "move_to_queue"]


async def move_to_queue(tx: Tx, commands: Sequence[MoveToQueue]) -> list[TakenTicket | Fact]:
    """Answer each command in order, one ticket at a time; the new number goes on from the old one.

    The place is that of the time at which the first number was taken; a promise that was not kept
    yet stays. Facts:
    TicketNotFound, QueueNotFound, SameQueue, PartySizeOutOfRange, TicketNotActive, NumberPassed,
    QueueNotOpen (closed; where it pauses those who are here go on), RequestBodyDiffers.
    Publishes ticket.ended (moved), ticket.taken, and queue.changed.
    """
    outcomes: list[TakenTicket | Fact] = []
    for command in commands:
        try:
            outcomes.append(await _move(tx, command))
        except Fact as refusal:
            outcomes.append(refusal)
    return outcomes


async def _move(tx: Tx, command: MoveToQueue) -> TakenTicket:
    key = (await list_days_of(tx, [command.ticket_id])).get(command.ticket_id)
    if key is None:
        raise TicketNotFound(ticket_id=command.ticket_id)
    facts = await list_queue_facts(tx, queue_ids=[key[0], command.queue_id])
    target = _target(command, key, facts)
    to = (target.queue_id, key[1])
    days = await lock_days(tx, {key, to}, facts, begins=True)
    asked = body_hash("move_to_queue", command.ticket_id, command.queue_id, command.party_size)
    earlier = (await list_known_requests(tx, [command.request_id])).get(command.request_id)
    if earlier is not None:
        if earlier.body_hash != asked:
            raise RequestBodyDiffers(request_id=str(command.request_id))
        return TakenTicket(
            ticket_id=earlier.ticket_id,
            queue_id=earlier.queue_id,
            store_id=earlier.store_id,
            code=earlier.code,
            number=earlier.number,
            status=earlier.status,
            parties_ahead=earlier.ahead_at_take,
            estimate=earlier.promise,
            is_replay=True,
        )
    if key[0] == command.queue_id:
        raise SameQueue
    ticket = (await list_standing(tx, [command.ticket_id]))[command.ticket_id]
    party_size = _check(command, ticket, target)
    # Once more, under the lock: it may have closed while the row was waited for.
    if await get_queue_status(tx, target.queue_id) is QueueStatus.CLOSED:
        raise QueueNotOpen
    waiting = (await list_heads(tx, [to]))[to]
    was_waiting = ticket.status is TicketStatus.WAITING
    new = _new_ticket(
        command, ticket, day=days[to], waiting=waiting, asked=asked, party_size=party_size
    )
    ticket.move(TicketStatus.MOVED, "moved", by=command, reason=command.reason)
    days[key].is_changed = True
    if was_waiting:
        days[key].count(ticket.priority, -1)
    await write_moves(tx, [ticket])
    await insert_tickets(tx, [new], days.values())
    await tell_of_days(tx, days.values(), _events(command, ticket, new), now=command.now)
    return TakenTicket(
        ticket_id=new.ticket_id,
        queue_id=new.day.queue.queue_id,
        store_id=new.day.queue.store_id,
        code=new.code,
        number=new.number,
        status=TicketStatus.WAITING,
        parties_ahead=new.parties_ahead,
        estimate=new.promise,
        is_replay=False,
    )


def _target(command: MoveToQueue, key: DayKey, facts: dict[UUID, QueueFacts]) -> QueueFacts:
    queue, target = facts[key[0]], facts.get(command.queue_id)
    is_own = command.brand_id in {None, queue.brand_id} and (
        command.store_id in {None, queue.store_id}
    )
    if not is_own:
        raise TicketNotFound(ticket_id=command.ticket_id)
    if target is None or target.store_id != queue.store_id or not target.is_in_use:
        raise QueueNotFound(queue_id=command.queue_id)
    if queue.business_on(command.now) != key[1]:
        raise TicketNotActive(status=TicketStatus.EXPIRED.value)
    return target


def _check(command: MoveToQueue, ticket: Standing, target: QueueFacts) -> int:
    if ticket.status is TicketStatus.SKIPPED:
        raise NumberPassed
    if ticket.status not in ACTIVE:
        raise TicketNotActive(status=ticket.status.value)
    size = command.party_size if command.party_size is not None else ticket.party_size
    # The clerk may seat a few people at a large table; the other way round there is no room.
    if not 1 <= size <= target.party_size_max:
        raise PartySizeOutOfRange(party_size_min=1, party_size_max=target.party_size_max)
    return size


def _new_ticket(
    command: MoveToQueue,
    ticket: Standing,
    *,
    day: Day,
    waiting: Sequence[Standing],
    asked: bytes,
    party_size: int,
) -> NewTicket:
    number = day.next_number()
    day.count(ticket.priority, +1)
    lane = [held for held in waiting if held.priority is ticket.priority]
    new = NewTicket(
        ticket_id=new_id(),
        command=command,
        asked=asked,
        day=day,
        number=number,
        place=place_by_time(lane, ticket.taken_at, place_last=number * PLACE_STEP),
        party_size=party_size,
        priority=ticket.priority,
        source=ticket.source,
        member_id=ticket.member_id,
        fan_id=ticket.fan_id,
        booking_id=ticket.booking_id,
        moved_from_id=ticket.ticket_id,
        taken_at=ticket.taken_at,
        travel_seconds=ticket.travel_seconds,
        # Of whoever was called already it was kept.
        promise=ticket.promise if ticket.called_at is None else None,
        parties_ahead=0,
    )
    new.parties_ahead = positions_of(in_turn([*waiting, new], day.turn))[new.ticket_id]
    return new


def _events(command: MoveToQueue, ticket: Standing, new: NewTicket) -> list[Event]:
    return [
        TicketEnded(
            ticket_id=ticket.ticket_id,
            queue_id=ticket.queue_id,
            store_id=ticket.store_id,
            status=ticket.status.value,
            by_store=False,
            at=command.now,
        ),
        TicketTaken(
            ticket_id=new.ticket_id,
            queue_id=new.day.queue.queue_id,
            store_id=new.day.queue.store_id,
            member_id=new.member_id,
            fan_id=new.fan_id,
            parties_ahead=new.parties_ahead,
            at=command.now,
        ),
    ]

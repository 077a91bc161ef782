"""Call the next party to a desk: by the order of calls, and never one ticket to two desks."""

from collections import deque
from collections.abc import Sequence
from uuid import UUID

import msgspec

from o2o.crm.statuses import CallKind, TicketPriority, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers, body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.events import Event
from o2o.queueing.actions.keep_days import keep_days, tell_of_days
from o2o.queueing.actions.write_moves import write_moves
from o2o.queueing.commands import CalledTicket, CallNext
from o2o.queueing.days import Day, DayKey, QueueFacts
from o2o.queueing.errors import QueueEmpty, QueueNotFound
from o2o.queueing.move_batch import called_event
from o2o.queueing.queries.days import list_queue_facts, lock_days
from o2o.queueing.queries.held_tickets import EarlierCall, list_earlier_calls, list_heads
from o2o.queueing.rules.desks import readable_desk
from o2o.queueing.standing import Call, Standing

__all__ = ["CallNext", "CalledTicket", "call_next"]

Lane = dict[TicketPriority, deque[Standing]]


async def call_next(tx: Tx, commands: Sequence[CallNext]) -> list[CalledTicket | Fact]:
    """Answer each desk in order. Of several queues the one is taken whose next waits longest.

    Facts: QueueNotFound, DeskUnreadable, QueueEmpty, RequestBodyDiffers. Publishes ticket.called,
    and queue.changed once per queue.
    """
    wanted = {queue_id for command in commands for queue_id in command.queue_ids}
    facts = await list_queue_facts(tx, queue_ids=wanted)
    refusals = [_refusal(command, facts) for command in commands]
    keys = {
        (queue_id, facts[queue_id].business_on(command.now))
        for command, refusal in zip(commands, refusals, strict=True)
        if refusal is None
        for queue_id in command.queue_ids
    }
    days = await lock_days(tx, keys, facts, begins=False)
    earlier = await list_earlier_calls(tx, [command.request_id for command in commands])
    heads = await list_heads(tx, days.keys(), most=len(commands))
    batch = _Batch(days, heads, earlier)
    for command, refusal in zip(commands, refusals, strict=True):
        batch.decide(command, refusal)
    numbers = await write_moves(tx, [call.ticket for call in batch.calls], batch.calls)
    outcomes = [
        # Nor does whoever may not see a queue hear what another one was answered there.
        refusal if isinstance(refusal, QueueNotFound) else batch.outcome(command, numbers)
        for command, refusal in zip(commands, refusals, strict=True)
    ]
    if batch.calls:
        await keep_days(tx, days.values())
        now = max(command.now for command in commands)
        await tell_of_days(tx, days.values(), batch.events(numbers), now=now)
    return outcomes


def _refusal(command: CallNext, facts: dict[UUID, QueueFacts]) -> Fact | None:
    for queue_id in command.queue_ids:
        queue = facts.get(queue_id)
        is_own = queue is not None and (
            command.brand_id in {None, queue.brand_id}
            and command.store_id in {None, queue.store_id}
        )
        if not is_own:
            return QueueNotFound(queue_id=queue_id)
    if len({facts[queue_id].store_id for queue_id in command.queue_ids}) != 1:
        # None at all, or of two stores: nobody can stand at a desk in both.
        return QueueNotFound()
    try:
        readable_desk(command.desk)
    except Fact as refusal:
        return refusal
    return None


def _asked(command: CallNext) -> bytes:
    return body_hash("call_next", sorted(set(command.queue_ids)), command.desk)


class _Batch:
    """Decides one desk after another; each sees whom those before it called."""

    def __init__(
        self,
        days: dict[DayKey, Day],
        heads: dict[DayKey, list[Standing]],
        earlier: dict[UUID, EarlierCall],
    ) -> None:
        self._days = days
        self._lanes: dict[DayKey, Lane] = {key: _lanes(heads[key]) for key in days}
        self._earlier = earlier
        self._decided: dict[UUID, Call | Fact] = {}
        self._first: dict[UUID, CallNext] = {}
        self.calls: list[Call] = []

    def decide(self, command: CallNext, refusal: Fact | None) -> None:
        """Call for one desk, or keep why not; the same request again waits for its first answer."""
        if isinstance(refusal, QueueNotFound):
            return
        if command.request_id in self._earlier or command.request_id in self._decided:
            return
        call = refusal or self._call(command)
        self._decided[command.request_id] = call
        self._first[command.request_id] = command
        if isinstance(call, Call):
            self.calls.append(call)

    def _call(self, command: CallNext) -> Call | Fact:
        heads = [
            (head, key) for key in self._keys(command) if (head := self._head(key)) is not None
        ]
        if not heads:
            return QueueEmpty()
        ticket, key = min(heads, key=lambda found: _rank(found[0]))
        self._lanes[key][ticket.priority].popleft()
        self._days[key].call(ticket.priority)
        ticket.move(TicketStatus.CALLED, "called", by=command)
        return Call(
            request_id=command.request_id,
            asked=_asked(command),
            ticket=ticket,
            kind=CallKind.CALL,
            desk=readable_desk(command.desk),
            at=command.now,
        )

    def _keys(self, command: CallNext) -> list[DayKey]:
        return [
            key
            for key, day in self._days.items()
            if key[0] in command.queue_ids and day.queue.business_on(command.now) == key[1]
        ]

    def _head(self, key: DayKey) -> Standing | None:
        lanes = self._lanes[key]
        waiting = {priority: len(lane) for priority, lane in lanes.items()}
        priority = self._days[key].turn.next_priority(waiting)
        return lanes[priority][0] if priority is not None else None

    def outcome(self, command: CallNext, numbers: dict[UUID, int]) -> CalledTicket | Fact:
        """Return what a command came to, when everything is written."""
        earlier = self._earlier.get(command.request_id)
        if earlier is not None:
            if earlier.body_hash != _asked(command):
                return RequestBodyDiffers(request_id=str(command.request_id))
            return earlier.called
        decided = self._decided[command.request_id]
        if isinstance(decided, Fact):
            return decided
        is_first = self._first[command.request_id] is command
        if not is_first and decided.asked != _asked(command):
            return RequestBodyDiffers(request_id=str(command.request_id))
        called = self._called(decided, numbers)
        return called if is_first else msgspec.structs.replace(called, is_replay=True)

    def _called(self, call: Call, numbers: dict[UUID, int]) -> CalledTicket:
        return CalledTicket(
            ticket_id=call.ticket.ticket_id,
            code=self._days[call.ticket.key].code_of(call.ticket.number),
            queue_id=call.ticket.queue_id,
            desk=call.desk,
            party_size=call.ticket.party_size,
            is_recall=False,
            called_at=call.at,
            call_seq=numbers[call.request_id],
            is_replay=False,
        )

    def events(self, numbers: dict[UUID, int]) -> list[Event]:
        """Tell of every call."""
        return [called_event(call, numbers) for call in self.calls]


def _lanes(waiting: Sequence[Standing]) -> Lane:
    lanes: Lane = {priority: deque() for priority in TicketPriority}
    for ticket in waiting:
        lanes[ticket.priority].append(ticket)
    return lanes


def _rank(head: Standing) -> tuple[bool, object, UUID]:
    # Between queues: an arrived booking first, then whoever waits longest.
    return head.priority is not TicketPriority.BOOKED, head.taken_at, head.ticket_id

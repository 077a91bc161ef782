"""Take numbers: set-based, so that those who come at once share a transaction and never a number.

Numbers of a queue's day have no gaps: they are given out under the lock of the day's row, to those
only whom nothing stands in the way of.
"""

from collections.abc import Sequence
from uuid import UUID

from o2o.crm.statuses import TicketPriority, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries.counter import list_member_facts
from o2o.queueing.actions.expire_tickets import expire_days
from o2o.queueing.actions.insert_tickets import NewTicket, insert_tickets
from o2o.queueing.actions.keep_days import tell_of_days
from o2o.queueing.attempts import Attempt, attempt
from o2o.queueing.commands import TakenTicket, TakeTicket
from o2o.queueing.days import PLACE_STEP, Day, DayKey, QueueFacts
from o2o.queueing.errors import QueueNotFound, TicketAlreadyActive
from o2o.queueing.events import TicketTaken
from o2o.queueing.queries.days import list_queue_facts, lock_days
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.queries.known_tickets import Known, KnownTicket, list_known
from o2o.queueing.rules.call_order import ahead_of_new
from o2o.queueing.rules.taking import travel_seconds
from o2o.queueing.rules.wait_estimate import WaitModel

__all__ = ["TakeTicket", "TakenTicket", "take_tickets"]


async def take_tickets(tx: Tx, commands: Sequence[TakeTicket]) -> list[TakenTicket | Fact]:
    """Answer each command in order; those in one batch see each other's numbers.

    Facts: QueueNotFound, MemberNotFound, PartySizeOutOfRange, QueueNotOpen, QueuePaused,
    LocationNeeded, TooFarAway, TicketAlreadyActive, RequestBodyDiffers. Publishes ticket.taken,
    and queue.changed once per queue.
    """
    facts = await list_queue_facts(
        tx,
        queue_ids=[c.queue_id for c in commands if c.queue_id],
        store_ids=[c.store_id for c in commands if c.store_id and c.queue_id is None],
        # All queues of a store where one has a number per store.
        sibling_ids=[c.queue_id for c in commands if c.queue_id and (c.member_id or c.fan_id)],
    )
    attempts = [attempt(command, facts) for command in commands]
    await _check_members(tx, attempts)
    aimed = [a for a in attempts if a.refusal is None]
    queue_ids = sorted({a.key[0] for a in aimed})
    now = max(command.now for command in commands)
    models = await estimate_waits(tx, queue_ids, now=now) if queue_ids else {}
    days = await lock_days(tx, _to_lock(aimed, facts), facts, begins=True)
    stores = sorted({facts[queue_id].store_id for queue_id in queue_ids})
    known = await list_known(tx, commands, queue_ids=queue_ids, store_ids=stores)
    await _expire_left_over(tx, aimed, known)
    batch = _Batch(days, known, models)
    outcomes = [batch.decide(a) for a in attempts]
    if batch.new:
        await insert_tickets(tx, batch.new, days.values())
        await tell_of_days(tx, days.values(), [_event(new) for new in batch.new], now=now)
    return outcomes


async def _check_members(tx: Tx, attempts: Sequence[Attempt]) -> None:
    """Refuse for members who are not there, or not in the store's brand."""
    asked = {a.command.member_id for a in attempts if a.command.member_id and not a.refusal}
    if not asked:
        return
    # Held: who became another member meanwhile would take a number that nobody finds.
    members = await list_member_facts(tx, asked, is_held=True)
    for a in attempts:
        if a.refusal is None and a.command.member_id is not None:
            assert a.queue is not None
            member = members.get(a.command.member_id)
            if member is None or member.brand_id != a.queue.brand_id:
                a.refusal = MemberNotFound(member_id=a.command.member_id)


def _to_lock(aimed: Sequence[Attempt], facts: dict[UUID, QueueFacts]) -> set[DayKey]:
    """Return the rows to lock: a person's number excludes others in all queues of the store."""
    keys = set()
    for a in aimed:
        keys.add(a.key)
        if a.has_person:
            assert a.queue is not None
            keys |= {
                (queue_id, a.key[1])
                for queue_id, queue in facts.items()
                if queue.store_id == a.queue.store_id
            }
    return keys


async def _expire_left_over(tx: Tx, aimed: Sequence[Attempt], known: Known) -> None:
    """End the tickets of earlier days that still keep somebody from a number of today."""
    stale: dict[DayKey, Attempt] = {}
    for a in aimed:
        for person in (a.command.member_id, a.command.fan_id):
            held = _active(a, known, person)
            if held is not None and held.business_on < a.key[1]:
                stale[held.queue_id, held.business_on] = a
    if not stale:
        return
    await expire_days(tx, stale.keys(), now=max(a.command.now for a in stale.values()))
    known.active = {
        who: ticket
        for who, ticket in known.active.items()
        if (ticket.queue_id, ticket.business_on) not in stale
    }


def _active(a: Attempt, known: Known, person: UUID | None) -> KnownTicket | None:
    assert a.queue is not None
    return known.active.get((a.queue.store_id, person)) if person is not None else None


class _Batch:
    """Decides one command after another; each sees what those before it came to."""

    def __init__(
        self, days: dict[DayKey, Day], known: Known, models: dict[UUID, WaitModel]
    ) -> None:
        self._days = days
        self._known = known
        self._models = models
        self.new: list[NewTicket] = []

    def decide(self, a: Attempt) -> TakenTicket | Fact:
        if isinstance(a.refusal, QueueNotFound):
            # Nor does whoever may not see a queue hear what another one was answered there.
            return a.refusal
        earlier = self._known.by_request.get(a.command.request_id)
        if earlier is not None:
            if earlier.body_hash != a.asked:
                return RequestBodyDiffers(request_id=str(a.command.request_id))
            return _again(earlier)
        refusal = a.refusal or self._refusal(a)
        if refusal is not None:
            return refusal
        return self._take(a)

    def _refusal(self, a: Attempt) -> Fact | None:
        closed = a.closed_refusal(self._known.statuses[a.key[0]])
        if closed is not None:
            return closed
        for person in (a.command.member_id, a.command.fan_id):
            held = _active(a, self._known, person)
            if held is not None:
                return TicketAlreadyActive(ticket_id=held.ticket_id, number=held.code)
        return None

    def _take(self, a: Attempt) -> TakenTicket:
        command, day, priority = a.command, self._days[a.key], a.priority
        ahead = self._ahead(day, priority)
        number = day.next_number()
        day.count(priority, +1)
        model = self._models.get(day.queue.queue_id)
        new = NewTicket(
            ticket_id=new_id(),
            command=command,
            asked=a.asked,
            day=day,
            number=number,
            place=number * PLACE_STEP,
            party_size=command.party_size,
            priority=priority,
            source=command.source,
            member_id=command.member_id,
            fan_id=command.fan_id,
            booking_id=command.booking_id,
            moved_from_id=None,
            taken_at=command.now,
            travel_seconds=travel_seconds(command.at, day.queue.at),
            promise=model.estimate(ahead) if model else None,
            parties_ahead=ahead,
        )
        self.new.append(new)
        self._remember(new)
        return _taken(new)

    def _ahead(self, day: Day, priority: TicketPriority) -> int:
        """Return how many are called before one who joins: by the hall's machine, if one calls."""
        said = self._known.at_machine.get(day.queue.queue_id)
        if said is None:
            return ahead_of_new(day.waiting, priority, day.turn)
        self._known.at_machine[day.queue.queue_id] = said + 1
        return said

    def _remember(self, new: NewTicket) -> None:
        known = KnownTicket(
            ticket_id=new.ticket_id,
            request_id=new.command.request_id,
            body_hash=new.asked,
            store_id=new.day.queue.store_id,
            queue_id=new.day.queue.queue_id,
            business_on=new.day.business_on,
            code=new.code,
            number=new.number,
            status=TicketStatus.WAITING,
            member_id=new.member_id,
            fan_id=new.fan_id,
            ahead_at_take=new.parties_ahead,
            promise=new.promise,
        )
        self._known.by_request[known.request_id] = known
        for person in (known.member_id, known.fan_id):
            if person is not None:
                self._known.active[known.store_id, person] = known


def _again(known: KnownTicket) -> TakenTicket:
    return TakenTicket(
        ticket_id=known.ticket_id,
        queue_id=known.queue_id,
        store_id=known.store_id,
        code=known.code,
        number=known.number,
        status=known.status,
        parties_ahead=known.ahead_at_take,
        estimate=known.promise,
        is_replay=True,
    )


def _taken(new: NewTicket) -> TakenTicket:
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


def _event(new: NewTicket) -> TicketTaken:
    return TicketTaken(
        ticket_id=new.ticket_id,
        queue_id=new.day.queue.queue_id,
        store_id=new.day.queue.store_id,
        member_id=new.member_id,
        fan_id=new.fan_id,
        parties_ahead=new.parties_ahead,
        at=new.command.now,
    )

"""A batch of moves, decided in memory one after another; each sees what those before it did."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from o2o.crm.statuses import CallKind, TicketStatus
from o2o.infra.idempotency import RequestBodyDiffers, body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.events import Event
from o2o.queueing.commands import MovedTicket, MoveTicket, Verb
from o2o.queueing.days import Day, DayKey
from o2o.queueing.errors import (
    QueueNotOpen,
    TicketAlreadyActive,
    TicketNotActive,
    TicketNotFound,
)
from o2o.queueing.events import TicketCalled, TicketEnded
from o2o.queueing.queries.held_tickets import EarlierCall, EarlierStep, OtherTicket
from o2o.queueing.rules.call_order import in_turn, positions_of
from o2o.queueing.rules.desks import readable_desk
from o2o.queueing.rules.moving import PAST, TARGET, check_move
from o2o.queueing.rules.places import spot_behind
from o2o.queueing.standing import ACTIVE, ENDED, Call, Standing

# Moves after which a ticket is active that perhaps was not.
REVIVING = frozenset({Verb.RETURN, Verb.RECALL})
# Moves that say a number in the hall.
CALLING = frozenset({Verb.CALL, Verb.RECALL})


class Done(msgspec.Struct, frozen=True):
    """What a command came to."""

    command: MoveTicket
    ticket: Standing
    is_replay: bool


class MoveBatch(msgspec.Struct, kw_only=True):
    """Everything that was read under the locks, and what is to be written."""

    days: dict[DayKey, Day]
    tickets: dict[UUID, Standing]
    earlier_steps: dict[UUID, EarlierStep]
    earlier_calls: dict[UUID, EarlierCall]
    # Of the days on which somebody comes back.
    waiting: dict[DayKey, list[Standing]] = {}
    others: Sequence[OtherTicket] = ()
    desks: dict[UUID, str] = {}
    calls: list[Call] = []
    events: list[Event] = []
    # Answered in this very batch.
    answered: dict[UUID, bytes] = {}

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return any(ticket.steps for ticket in self.tickets.values())

    def decide(self, verb: Verb, command: MoveTicket) -> Done | Fact:
        """Move one ticket, or say why not."""
        ticket = self.tickets.get(command.ticket_id)
        if ticket is None or not self._is_reached(ticket, command):
            return TicketNotFound(ticket_id=command.ticket_id)
        asked = body_hash("move_ticket", verb.value, command.ticket_id)
        known = self._known(command.request_id)
        if known is not None:
            if known != asked:
                return RequestBodyDiffers(request_id=str(command.request_id))
            return Done(command, ticket, is_replay=True)
        try:
            self._move(verb, command, ticket, asked=asked)
        except Fact as refusal:
            return refusal
        self.answered[command.request_id] = asked
        return Done(command, ticket, is_replay=False)

    def _known(self, request_id: UUID) -> bytes | None:
        if request_id in self.answered:
            return self.answered[request_id]
        step, call = self.earlier_steps.get(request_id), self.earlier_calls.get(request_id)
        if step is not None:
            return step.body_hash or b""
        return call.body_hash if call is not None else None

    def _is_reached(self, ticket: Standing, command: MoveTicket) -> bool:
        queue = self.days[ticket.key].queue
        if command.brand_id not in {None, queue.brand_id}:
            return False
        if command.store_id not in {None, queue.store_id}:
            return False
        if not command.is_by_guest:
            return True
        return (command.fan_id is not None and command.fan_id == ticket.fan_id) or (
            command.member_id is not None and command.member_id == ticket.member_id
        )

    def _move(self, verb: Verb, command: MoveTicket, ticket: Standing, *, asked: bytes) -> None:
        day = self.days[ticket.key]
        check_move(verb, ticket.status, returns=ticket.returns, returns_max=day.queue.returns_max)
        if verb in REVIVING:
            self._check_revival(ticket, day, command)
        if verb is Verb.RETURN and not day.queue.is_served:
            raise QueueNotOpen
        # Whatever may still stand in the way comes before anything is counted.
        desk = self._desk(command) if verb in CALLING else ""
        if ticket.status is TicketStatus.WAITING:
            day.count(ticket.priority, -1)
        if verb is Verb.RETURN:
            self._put_back(ticket, day)
        ticket.move(
            TARGET[verb],
            PAST[verb],
            by=command,
            request_id=command.request_id,
            asked=asked,
            reason=command.reason,
        )
        day.is_changed = True
        if verb in CALLING:
            self.calls.append(
                Call(
                    request_id=command.request_id,
                    asked=asked,
                    ticket=ticket,
                    kind=CallKind.RECALL if verb is Verb.RECALL else CallKind.CALL,
                    desk=desk,
                    at=command.now,
                )
            )
        if ticket.status in ENDED:
            self.events.append(_ended(ticket, command))

    def _check_revival(self, ticket: Standing, day: Day, command: MoveTicket) -> None:
        if day.queue.business_on(command.now) != ticket.business_on:
            raise TicketNotActive(status=TicketStatus.EXPIRED.value)
        if ticket.status in ACTIVE:
            return
        for other in self.others:
            held = self.tickets.get(other.ticket_id)
            if held is not None and held.status not in ACTIVE:
                continue
            if other.ticket_id != ticket.ticket_id and _is_same_person(ticket, other):
                raise TicketAlreadyActive(ticket_id=other.ticket_id, number=other.code)
        for held in self.tickets.values():
            if held is not ticket and held.status in ACTIVE and _is_same_person(ticket, held):
                code = self.days[held.key].code_of(held.number)
                raise TicketAlreadyActive(ticket_id=held.ticket_id, number=code)

    def _put_back(self, ticket: Standing, day: Day) -> None:
        waiting = self._waiting(ticket.key)
        spot = spot_behind(
            waiting,
            day.turn,
            behind=day.queue.return_behind,
            ticket_id=ticket.ticket_id,
            place=ticket.place,
        )
        ticket.priority, ticket.place = spot.priority, spot.place
        ticket.returns += 1
        day.count(ticket.priority, +1)
        if all(held is not ticket for held in self.waiting.get(ticket.key, [])):
            self.waiting.setdefault(ticket.key, []).append(ticket)

    def _desk(self, command: MoveTicket) -> str:
        return readable_desk(command.desk or self.desks.get(command.ticket_id, ""))

    def _waiting(self, key: DayKey) -> list[Standing]:
        return [t for t in self.waiting.get(key, []) if t.status is TicketStatus.WAITING]

    def told(self, numbers: dict[UUID, int]) -> list[Event]:
        """Return what to publish, when the calls have their numbers."""
        return [*(called_event(call, numbers) for call in self.calls), *self.events]

    def answer(self, done: Done, numbers: dict[UUID, int]) -> MovedTicket:
        """Say how the ticket stands now."""
        ticket, request_id = done.ticket, done.command.request_id
        seq = numbers.get(request_id)
        if seq is None and request_id in self.earlier_calls:
            seq = self.earlier_calls[request_id].called.call_seq
        return MovedTicket(
            ticket_id=ticket.ticket_id,
            queue_id=ticket.queue_id,
            store_id=ticket.store_id,
            code=self.days[ticket.key].code_of(ticket.number),
            number=ticket.number,
            status=ticket.status,
            parties_ahead=self._ahead(ticket),
            call_seq=seq,
            is_replay=done.is_replay,
        )

    def _ahead(self, ticket: Standing) -> int | None:
        if ticket.status is not TicketStatus.WAITING:
            return None
        order = in_turn(self._waiting(ticket.key), self.days[ticket.key].turn)
        return positions_of(order).get(ticket.ticket_id)


def called_event(call: Call, numbers: dict[UUID, int]) -> TicketCalled:
    """Tell of one call."""
    return TicketCalled(
        ticket_id=call.ticket.ticket_id,
        call_seq=numbers[call.request_id],
        queue_id=call.ticket.queue_id,
        store_id=call.ticket.store_id,
        desk=call.desk,
        is_recall=call.kind is CallKind.RECALL,
        at=call.at,
    )


def waiting_by_day(
    heads: dict[DayKey, list[Standing]], tickets: dict[UUID, Standing]
) -> dict[DayKey, list[Standing]]:
    """Return who waits, with the very tickets that are in hand."""
    return {key: [tickets.get(t.ticket_id, t) for t in lane] for key, lane in heads.items()}


def days_coming_back(
    asked: Collection[tuple[Verb, MoveTicket]], days_of: dict[UUID, DayKey]
) -> set[DayKey]:
    """Return the days on which somebody comes back into the line."""
    return {
        days_of[command.ticket_id]
        for verb, command in asked
        if verb is Verb.RETURN and command.ticket_id in days_of
    }


def _is_same_person(ticket: Standing, other: Standing | OtherTicket) -> bool:
    if ticket.store_id != other.store_id:
        return False
    return (ticket.member_id is not None and ticket.member_id == other.member_id) or (
        ticket.fan_id is not None and ticket.fan_id == other.fan_id
    )


def _ended(ticket: Standing, command: MoveTicket) -> TicketEnded:
    return TicketEnded(
        ticket_id=ticket.ticket_id,
        queue_id=ticket.queue_id,
        store_id=ticket.store_id,
        status=ticket.status.value,
        by_store=ticket.status is TicketStatus.CANCELLED and not command.is_by_guest,
        at=command.now,
    )

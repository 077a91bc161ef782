"""A wish for a number on its way: which queue it leads to, and what stands in the way of it."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

import msgspec

from o2o.crm.statuses import QueueStatus, TicketPriority
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.queueing.commands import TakeTicket
from o2o.queueing.days import DayKey, QueueFacts
from o2o.queueing.errors import QueueNotFound
from o2o.queueing.rules.taking import (
    PROMISED,
    distance_refusal,
    fitting,
    opening_refusal,
    priority_of,
    size_refusal,
)


class Attempt(msgspec.Struct):
    """One command with what was found out; it may go on while `refusal` is None."""

    command: TakeTicket
    asked: bytes
    queue: QueueFacts | None = None
    business_on: date | None = None
    refusal: Fact | None = None

    @property
    def has_person(self) -> bool:
        """Whether it is known for whom: who has one number per store."""
        return self.command.member_id is not None or self.command.fan_id is not None

    @property
    def key(self) -> DayKey:
        """Name the row of the queue's day. Of attempts that go on only."""
        assert self.queue is not None
        assert self.business_on is not None
        return self.queue.queue_id, self.business_on

    @property
    def priority(self) -> TicketPriority:
        """Return the priority that the number gets."""
        assert self.queue is not None
        return priority_of(
            self.command.priority,
            is_member=self.command.member_id is not None,
            is_booked=self.command.booking_id is not None,
            has_member_priority=self.queue.has_member_priority,
        )

    def closed_refusal(self, status: QueueStatus) -> Fact | None:
        """Say why the queue, in that status, gives no number at the command's time, or None."""
        assert self.queue is not None
        return opening_refusal(
            status,
            source=self.command.source,
            now=self.command.now,
            hours=self.queue.hours,
            exceptions=self.queue.hours_exceptions,
            timezone=self.queue.timezone,
        )


def attempt(command: TakeTicket, queues: Mapping[UUID, QueueFacts]) -> Attempt:
    """Find the queue for a command, and what stands in the way as far as needs no lock."""
    found = Attempt(command, _asked(command))
    candidates = [queue for queue in _named(command, queues) if _is_meant(command, queue)]
    if not candidates:
        found.refusal = QueueNotFound(queue_id=command.queue_id)
        return found
    # Whoever booked was promised this queue, for as many as he said then.
    is_promised = command.source in PROMISED
    fits = candidates if is_promised else fitting(candidates, command.party_size)
    if not fits:
        found.refusal = size_refusal(candidates)
        return found
    # Where ranges overlap, a class that is closed leaves its parties to the next that is not.
    queue = found.queue = next((q for q in fits if q.status is QueueStatus.OPEN), fits[0])
    found.business_on = queue.business_on(command.now)
    found.refusal = distance_refusal(
        command.at, queue.at, source=command.source, distance_m_max=queue.distance_m_max
    )
    return found


def _named(command: TakeTicket, queues: Mapping[UUID, QueueFacts]) -> Iterable[QueueFacts]:
    if command.queue_id is None:
        return queues.values() if command.store_id is not None else ()
    queue = queues.get(command.queue_id)
    return (queue,) if queue is not None else ()


def _is_meant(command: TakeTicket, queue: QueueFacts) -> bool:
    return (
        queue.is_in_use
        and (command.store_id is None or command.store_id == queue.store_id)
        and (command.brand_id is None or command.brand_id == queue.brand_id)
    )


def _asked(command: TakeTicket) -> bytes:
    # What is wanted and for whom, not from where: a phone that moved on has the same intention.
    return body_hash(
        "take_ticket",
        command.queue_id or command.store_id,
        command.party_size,
        command.source.value,
        command.member_id,
        command.fan_id,
        command.booking_id,
    )

"""A slow model of queues: lists of people, and the written rule read aloud over what was called."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from o2o.crm.statuses import TicketPriority, TicketStatus

ORDINARY, MEMBER, BOOKED = TicketPriority.ORDINARY, TicketPriority.MEMBER, TicketPriority.BOOKED
IN_LINE = {TicketStatus.WAITING, TicketStatus.CALLED}
RETURNS_MAX = 1
BEHIND = 3
BETWEEN = 2
BOOKED_MAX = 3


class One(msgspec.Struct, eq=False):
    """A ticket of the model."""

    queue: int
    number: int
    priority: TicketPriority
    person: int | None
    # The time of the first number, in steps.
    taken: int
    status: TicketStatus = TicketStatus.WAITING
    returns: int = 0


class Line(msgspec.Struct):
    """A queue: who waits, by priority and in order, and the priorities of all calls so far."""

    numbers: int = 0
    lanes: dict[TicketPriority, list[One]] = msgspec.field(
        default_factory=lambda: {priority: [] for priority in TicketPriority}
    )
    calls: list[TicketPriority] = []

    def order(self) -> list[One]:
        """Return who waits in the order of calls, by calling them all on a copy."""
        copy = Line(lanes={p: list(lane) for p, lane in self.lanes.items()}, calls=[*self.calls])
        found = []
        while (one := copy.call()) is not None:
            found.append(one)
        return found

    def head(self) -> One | None:
        """Return who is called next."""
        ordinary, member, booked = (self.lanes[p] for p in (ORDINARY, MEMBER, BOOKED))
        in_a_row = 0
        for priority in reversed(self.calls):
            if priority is not BOOKED:
                break
            in_a_row += 1
        if booked and (in_a_row < BOOKED_MAX or not (ordinary or member)):
            return booked[0]
        since_member = self.calls[::-1]
        if MEMBER in since_member:
            since_member = since_member[: since_member.index(MEMBER)]
            is_turn = since_member.count(ORDINARY) >= BETWEEN
        else:
            is_turn = True
        if member and (is_turn or not ordinary):
            return member[0]
        return ordinary[0] if ordinary else None

    def call(self) -> One | None:
        """Call the next one."""
        one = self.head()
        if one is not None:
            self.lanes[one.priority].remove(one)
            self.calls.append(one.priority)
        return one


class Model:
    """Three queues of one store."""

    def __init__(self) -> None:
        self.lines = [Line(), Line(), Line()]
        self.tickets: list[One] = []
        self.step = 0

    def active_of(self, person: int | None) -> One | None:
        """Return the ticket that somebody has."""
        if person is None:
            return None
        return next((t for t in self.tickets if t.person == person and t.status in IN_LINE), None)

    def take(self, queue: int, priority: TicketPriority, person: int | None) -> One:
        """Give the next number to the end of a lane."""
        line = self.lines[queue]
        line.numbers += 1
        one = One(queue, line.numbers, priority, person, self.step)
        line.lanes[priority].append(one)
        self.tickets.append(one)
        return one

    def call(self, queues: Sequence[int], *, ids: Mapping[One, UUID]) -> One | None:
        """Call a booking first, else who waits longest among the heads; of two, the lower id."""
        heads = [one for q in queues if (one := self.lines[q].head()) is not None]
        if not heads:
            return None
        one = min(heads, key=lambda head: (head.priority is not BOOKED, head.taken, ids[head]))
        called = self.lines[one.queue].call()
        assert called is one
        one.status = TicketStatus.CALLED
        return one

    def leave(self, one: One, status: TicketStatus) -> None:
        """Take a ticket out of whatever it is in."""
        if one.status is TicketStatus.WAITING:
            self.lines[one.queue].lanes[one.priority].remove(one)
        one.status = status

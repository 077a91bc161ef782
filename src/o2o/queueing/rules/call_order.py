"""Whose turn is next: arrived bookings, members' numbers and ordinary ones, so that nobody starves.

`docs/algorithms/queue-order.md` tells the rule to people. A queue's day remembers two counts, what
was called since; from them and from who waits follows the whole order, and from the order how many
parties are ahead of each.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from o2o.crm.statuses import TicketPriority

# Arrived bookings go first, but after three in a row one of the others who wait is called.
BOOKED_IN_A_ROW_MAX = 3
# A day begins as if ordinary parties had been called for long: nobody was let past yet.
SINCE_EVER = 20

_ORDINARY, _MEMBER, _BOOKED = (
    TicketPriority.ORDINARY,
    TicketPriority.MEMBER,
    TicketPriority.BOOKED,
)


class Waiting(Protocol):
    """What the order needs of a ticket that waits."""

    @property
    def ticket_id(self) -> UUID: ...
    @property
    def priority(self) -> TicketPriority: ...
    @property
    def place(self) -> int: ...


W = TypeVar("W", bound=Waiting)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Where a queue's day stands: what was called since, and the store's setting."""

    ordinary_since_priority: int = SINCE_EVER
    booked_in_a_row: int = 0
    ordinary_between: int = 2

    def next_priority(self, waiting: Mapping[TicketPriority, int]) -> TicketPriority | None:
        """Return which kind of number is called next, or None when nobody waits."""
        ordinary, member, booked = (waiting.get(p, 0) for p in (_ORDINARY, _MEMBER, _BOOKED))
        others = ordinary + member
        if booked and (self.booked_in_a_row < BOOKED_IN_A_ROW_MAX or not others):
            return _BOOKED
        if member and (self.ordinary_since_priority >= self.ordinary_between or not ordinary):
            return _MEMBER
        return _ORDINARY if ordinary else None

    def after(self, called: TicketPriority) -> "Turn":
        """Return where the day stands when one of that kind was called."""
        if called is _BOOKED:
            return msgspec.structs.replace(self, booked_in_a_row=self.booked_in_a_row + 1)
        since = 0 if called is _MEMBER else self.ordinary_since_priority + 1
        return msgspec.structs.replace(self, ordinary_since_priority=since, booked_in_a_row=0)


def order_of_calls(
    waiting: Iterable[W],
    *,
    ordinary_since_priority: int,
    ordinary_between: int,
    booked_in_a_row: int = 0,
) -> list[W]:
    """Return those who wait as they will be called if nobody comes and nobody goes."""
    turn = Turn(
        ordinary_since_priority=ordinary_since_priority,
        booked_in_a_row=booked_in_a_row,
        ordinary_between=ordinary_between,
    )
    return in_turn(waiting, turn)


def in_turn(waiting: Iterable[W], turn: Turn) -> list[W]:
    """Return those who wait in the order in which they are called from this turn on."""
    lanes: dict[TicketPriority, deque[W]] = {priority: deque() for priority in TicketPriority}
    for ticket in sorted(waiting, key=lambda w: (w.place, w.ticket_id)):
        lanes[ticket.priority].append(ticket)
    order: list[W] = []
    counts = {priority: len(lane) for priority, lane in lanes.items()}
    while (priority := turn.next_priority(counts)) is not None:
        order.append(lanes[priority].popleft())
        counts[priority] -= 1
        turn = turn.after(priority)
    return order


def ahead_of_new(
    waiting: Mapping[TicketPriority, int], priority: TicketPriority, turn: Turn
) -> int:
    """Return how many are called before a party that joins now, from the counts alone."""
    counts = {p: waiting.get(p, 0) for p in TicketPriority}
    counts[priority] += 1
    ahead = 0
    while counts[priority]:
        if not any(counts[p] for p in TicketPriority if p is not priority):
            return ahead + counts[priority] - 1
        called = turn.next_priority(counts)
        assert called is not None, "somebody waits"
        counts[called] -= 1
        ahead += 1
        turn = turn.after(called)
    return ahead - 1


def positions_of(order: Sequence[Waiting]) -> dict[UUID, int]:
    """Return how many parties are ahead of each ticket of an order of calls."""
    return {ticket.ticket_id: ahead for ahead, ticket in enumerate(order)}


class Placed(Protocol):
    """A ticket that waits, perhaps at a machine of the hall's own."""

    @property
    def ticket_id(self) -> UUID: ...
    @property
    def ahead_at_machine(self) -> int | None: ...


def positions_told(order: Sequence[Placed], *, at_machine: int | None = None) -> dict[UUID, int]:
    """Return how many parties are ahead of each: by the hall's own machine, if one calls.

    `at_machine` is how many wait there by its own count, None where none calls. Whom it has not
    taken in stands behind all of them, in our order.
    """
    places: dict[UUID, int] = {}
    behind = 0
    for ahead, ticket in enumerate(order):
        if ticket.ahead_at_machine is not None:
            places[ticket.ticket_id] = ticket.ahead_at_machine
        elif at_machine is not None:
            places[ticket.ticket_id] = at_machine + behind
            behind += 1
        else:
            places[ticket.ticket_id] = ahead
    return places

"""Places in a lane: where one comes back, and where one from another queue fits in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from o2o.crm.statuses import TicketPriority
from o2o.queueing.rules.call_order import Turn, in_turn


class Placed(Protocol):
    """What a place is found among: tickets that wait."""

    @property
    def ticket_id(self) -> UUID: ...
    @property
    def priority(self) -> TicketPriority: ...
    @property
    def place(self) -> int: ...
    @property
    def taken_at(self) -> datetime: ...


class Spot(msgspec.Struct, frozen=True):
    """A place in the lane of a priority."""

    priority: TicketPriority
    place: int


class _Comer(msgspec.Struct, frozen=True):
    ticket_id: UUID
    priority: TicketPriority
    place: int


def spot_behind(
    waiting: Sequence[Placed], turn: Turn, *, behind: int, ticket_id: UUID, place: int
) -> Spot:
    """Return where a party comes back that is to let `behind` others go first, or all there are.

    It comes back as an ordinary party, behind those who came back to the same spot before. Only
    where members or bookings alone would be ahead of it, it follows the last of them in their lane:
    as an ordinary party it would be called before them. `place` is its number's, for an empty line.
    """
    ahead = in_turn(waiting, turn)[:behind]
    ordinary = [ticket for ticket in ahead if ticket.priority is TicketPriority.ORDINARY]
    if ordinary:
        spot = _after(ordinary[-1], waiting)
    else:
        lane = [t.place for t in waiting if t.priority is TicketPriority.ORDINARY]
        spot = Spot(TicketPriority.ORDINARY, min([place, *(first - 1 for first in lane)]))
    if _index(waiting, turn, spot, ticket_id=ticket_id) >= len(ahead):
        return spot
    return _after(ahead[-1], waiting)


def _after(last: Placed, waiting: Sequence[Placed]) -> Spot:
    taken = {ticket.place for ticket in waiting if ticket.priority is last.priority}
    place = last.place + 1
    while place in taken:
        place += 1
    return Spot(last.priority, place)


def _index(waiting: Sequence[Placed], turn: Turn, spot: Spot, *, ticket_id: UUID) -> int:
    comer = _Comer(ticket_id, spot.priority, spot.place)
    everybody = [_Comer(t.ticket_id, t.priority, t.place) for t in waiting]
    return in_turn([*everybody, comer], turn).index(comer)


def place_by_time(lane: Sequence[Placed], taken_at: datetime, *, place_last: int) -> int:
    """Return the place before the first of a lane that took its number later, else the last one.

    `lane` holds the tickets of one priority in order of their places.
    """
    before = 0
    for ticket in lane:
        if ticket.taken_at > taken_at:
            middle = before + (ticket.place - before) // 2
            return middle if before < middle < ticket.place else _free(ticket.place, lane)
        before = ticket.place
    return max(place_last, before + 1)


def _free(place: int, lane: Sequence[Placed]) -> int:
    taken = {ticket.place for ticket in lane}
    while place in taken:
        place += 1
    return place

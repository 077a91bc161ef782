"""What can stand in the way of a number, a call and a move in a queue."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class QueueNotFound(NotFound):
    """There is no such queue, or not for the one who asks."""

    code: ClassVar[str] = "queue.not_found"

    def __init__(self, *, queue_id: UUID | None = None) -> None:
        """Keep which queue was asked for."""
        super().__init__(field="queue_id", queue_id=str(queue_id) if queue_id else None)


class QueueNotOpen(Conflict):
    """The queue gives no numbers: it is closed, or the store is."""

    code: ClassVar[str] = "queue.not_open"

    def __init__(self, *, next_opening_at: datetime | None = None) -> None:
        """Keep when the store opens next, where that is what has to be waited for."""
        at = next_opening_at.isoformat() if next_opening_at else None
        super().__init__(next_opening_at=at)
        self.next_opening_at = next_opening_at


class QueuePaused(Conflict):
    """No new numbers for now; those who wait are called."""

    code: ClassVar[str] = "queue.paused"


class QueueEmpty(Conflict):
    """Nobody waits who could be called."""

    code: ClassVar[str] = "queue.empty"


class PartySizeOutOfRange(Invalid):
    """Parties of that size do not belong here."""

    code: ClassVar[str] = "queue.party_size_out_of_range"

    def __init__(self, *, party_size_min: int, party_size_max: int) -> None:
        """Keep the smallest and the largest party that does."""
        super().__init__(
            field="party_size", party_size_min=party_size_min, party_size_max=party_size_max
        )


class LocationNeeded(Invalid):
    """The store gives numbers only to people nearby, and nobody knows where this one is."""

    code: ClassVar[str] = "queue.location_needed"

    def __init__(self, *, distance_m_max: int) -> None:
        """Keep how near one has to be, in metres."""
        super().__init__(field="at", distance_m_max=distance_m_max)


class TooFarAway(Invalid):
    """The store gives numbers only to people nearby."""

    code: ClassVar[str] = "queue.too_far"

    def __init__(self, *, distance_m: int, distance_m_max: int) -> None:
        """Keep how far away the person is and how near one has to be, in metres."""
        super().__init__(field="at", distance_m=distance_m, distance_m_max=distance_m_max)
        self.distance_m = distance_m
        self.distance_m_max = distance_m_max


class DoorCodeForged(Forbidden):
    """The code of the door was not made by us, or is another store's."""

    code: ClassVar[str] = "queue.door_code_forged"


class TicketNotFound(NotFound):
    """There is no such ticket, or not for the one who asks."""

    code: ClassVar[str] = "ticket.not_found"

    def __init__(self, *, ticket_id: UUID | None = None) -> None:
        """Keep which ticket was asked for."""
        super().__init__(field="ticket_id", ticket_id=str(ticket_id) if ticket_id else None)


class TicketAlreadyActive(Conflict):
    """The person has a number in this store already."""

    code: ClassVar[str] = "ticket.already_active"

    def __init__(self, *, ticket_id: UUID, number: str) -> None:
        """Keep which, and the number as people read it (B019)."""
        super().__init__(ticket_id=str(ticket_id), number=number)
        self.ticket_id = ticket_id
        self.number = number


class TicketNotActive(Conflict):
    """The ticket has ended: seated, cancelled, gone on elsewhere, or its day is over."""

    code: ClassVar[str] = "ticket.not_active"

    def __init__(self, *, status: str) -> None:
        """Keep how it ended."""
        super().__init__(status=status)


class TicketNotCalled(Conflict):
    """The ticket waits still: nothing can be said again, missed or made up for."""

    code: ClassVar[str] = "ticket.not_called"


class NumberPassed(Conflict):
    """The number was called and nobody came: first it goes back into the line."""

    code: ClassVar[str] = "ticket.number_passed"


class TicketWaitsAlready(Conflict):
    """The ticket is in the line: there is nothing to come back from."""

    code: ClassVar[str] = "ticket.waits_already"


class ReturnsExhausted(Conflict):
    """The party came back into the line as often as the store allows."""

    code: ClassVar[str] = "ticket.returns_exhausted"

    def __init__(self, *, returns_max: int) -> None:
        """Keep how often that is."""
        super().__init__(returns_max=returns_max)


class SameQueue(Invalid):
    """A ticket moves to another queue of its own store, not to the one it is in."""

    code: ClassVar[str] = "queue.same_queue"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="queue_id")


class DeskUnreadable(Invalid):
    """A desk is named by a few characters that can be read out."""

    code: ClassVar[str] = "queue.desk_unreadable"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="desk")


class QueueSettingsInvalid(Invalid):
    """A setting of queues lies outside of what it may be."""

    code: ClassVar[str] = "queue.settings_invalid"

    def __init__(self, *, field: str) -> None:
        """Name the setting."""
        super().__init__(field=field)

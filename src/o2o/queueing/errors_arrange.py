"""What can stand in the way of arranging a store's queues and desks."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Gone, Invalid, NotFound


class QueueWrong(Invalid):
    """A queue cannot be like this."""

    code: ClassVar[str] = "queue.wrong"

    def __init__(self, *, field: str, least: int = 0, most: int = 0) -> None:
        """Keep which field is wrong, and its range where it is a number."""
        super().__init__(field=field, least=least, most=most)


class QueueCodeTaken(Conflict):
    """Another queue of the store has this letter."""

    code: ClassVar[str] = "queue.code_taken"

    def __init__(self, *, letter: str) -> None:
        """Keep the letter."""
        super().__init__(field="code", letter=letter)


class QueueStillInUse(Conflict):
    """A queue is not done without while it gives numbers, somebody holds one or has booked it."""

    code: ClassVar[str] = "queue.still_in_use"

    def __init__(self, *, waiting: int, bookings: int) -> None:
        """Keep how many parties are still in it, and how many are to come."""
        super().__init__(waiting=waiting, bookings=bookings)


class TooManyQueues(Conflict):
    """More letters than a store may have."""

    code: ClassVar[str] = "queue.too_many"

    def __init__(self, *, most: int) -> None:
        """Keep how many there may be."""
        super().__init__(most=most)


class DeskNotFound(NotFound):
    """There is no such desk in this store."""

    code: ClassVar[str] = "desk.not_found"


class DeskWrong(Invalid):
    """A desk cannot be like this."""

    code: ClassVar[str] = "desk.wrong"


class DeskCodeTaken(Conflict):
    """Another desk of the store is called so."""

    code: ClassVar[str] = "desk.code_taken"

    def __init__(self, *, desk: str) -> None:
        """Keep what the other one is called."""
        super().__init__(field="code", desk=desk)


class DeskNotChosen(Conflict):
    """A pad calls to a desk, and nobody said yet at which one it stands."""

    code: ClassVar[str] = "desk.not_chosen"


class ReachBeyondDistance(Invalid):
    """Somebody would count as at the store from where he is too far away for a number."""

    code: ClassVar[str] = "queue.reach_beyond_distance"

    def __init__(self, *, distance_m_max: int) -> None:
        """Keep from how far away numbers are taken, in metres."""
        super().__init__(field="reach_m", distance_m_max=distance_m_max)


class DisplayLinkForged(NotFound):
    """The address of a display was not made by us."""

    code: ClassVar[str] = "display.link_forged"


class DisplayLinkRetired(Gone):
    """The address of a display was good once: the store has a new one."""

    code: ClassVar[str] = "display.link_retired"

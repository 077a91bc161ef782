"""Which moves of a ticket make sense when, and what stands in the way of the others."""

from enum import StrEnum

from o2o.crm.statuses import TicketStatus
from o2o.queueing.errors import (
    NumberPassed,
    ReturnsExhausted,
    TicketNotActive,
    TicketNotCalled,
    TicketWaitsAlready,
)


class Verb(StrEnum):
    """What can be done to one ticket."""

    # This very party, out of its turn: a machine decides whose turn it is.
    CALL = "call"
    RECALL = "recall"
    SKIP = "skip"
    RETURN = "return"
    SEAT = "seat"
    CANCEL = "cancel"


TARGET = {
    Verb.CALL: TicketStatus.CALLED,
    Verb.RECALL: TicketStatus.CALLED,
    Verb.SKIP: TicketStatus.SKIPPED,
    Verb.RETURN: TicketStatus.WAITING,
    Verb.SEAT: TicketStatus.SEATED,
    Verb.CANCEL: TicketStatus.CANCELLED,
}
# How the history names them.
PAST = {
    Verb.CALL: "called",
    Verb.RECALL: "recalled",
    Verb.SKIP: "skipped",
    Verb.RETURN: "returned",
    Verb.SEAT: "seated",
    Verb.CANCEL: "cancelled",
}
_NOT_ENDED = {TicketStatus.WAITING, TicketStatus.CALLED, TicketStatus.SKIPPED}


def check_move(verb: Verb, status: TicketStatus, *, returns: int, returns_max: int) -> None:
    """Raise the fact that stands in the way of a move, if one does.

    Raises TicketNotActive, TicketNotCalled, NumberPassed, TicketWaitsAlready, ReturnsExhausted.
    """
    if status not in _NOT_ENDED:
        raise TicketNotActive(status=status.value)
    if status is TicketStatus.WAITING and verb in {Verb.RECALL, Verb.SKIP}:
        raise TicketNotCalled
    if verb is Verb.CALL and status is not TicketStatus.WAITING:
        raise NumberPassed
    if status is TicketStatus.SKIPPED and verb in {Verb.SKIP, Verb.SEAT}:
        raise NumberPassed
    if verb is Verb.RETURN:
        if status is TicketStatus.WAITING:
            raise TicketWaitsAlready
        if returns >= returns_max:
            raise ReturnsExhausted(returns_max=returns_max)

"""The legal moves of tickets and of queues."""

from typing import Protocol

from o2o.crm.statuses import QueueStatus, TicketStatus
from o2o.kernel.moves import Moves

TICKET_MOVES = Moves(
    {
        TicketStatus.WAITING: {
            TicketStatus.CALLED,
            TicketStatus.SEATED,
            TicketStatus.CANCELLED,
            TicketStatus.MOVED,
            TicketStatus.EXPIRED,
        },
        TicketStatus.CALLED: {
            # Called again.
            TicketStatus.CALLED,
            TicketStatus.SEATED,
            TicketStatus.SKIPPED,
            TicketStatus.WAITING,
            TicketStatus.CANCELLED,
            TicketStatus.MOVED,
            TicketStatus.EXPIRED,
        },
        TicketStatus.SKIPPED: {
            TicketStatus.CALLED,
            TicketStatus.WAITING,
            TicketStatus.CANCELLED,
            TicketStatus.EXPIRED,
        },
    },
    final={
        TicketStatus.SEATED,
        TicketStatus.CANCELLED,
        TicketStatus.MOVED,
        TicketStatus.EXPIRED,
    },
)

QUEUE_MOVES = Moves(
    {
        QueueStatus.OPEN: {QueueStatus.PAUSED, QueueStatus.CLOSED},
        QueueStatus.PAUSED: {QueueStatus.OPEN, QueueStatus.CLOSED},
        QueueStatus.CLOSED: {QueueStatus.OPEN},
    },
    final=(),
)


class HasTicketStatus(Protocol):
    """A ticket in hand."""

    status: TicketStatus


def move_ticket(ticket: HasTicketStatus, to: TicketStatus) -> None:
    """Move a ticket in hand. Raises MoveNotAllowed."""
    TICKET_MOVES.check(ticket.status, to)
    ticket.status = to

"""The legal moves of a delivery: what became of one message to one person."""

from o2o.crm.statuses import DeliveryStatus as S
from o2o.kernel.moves import Moves

DELIVERY_MOVES = Moves(
    {
        S.QUEUED: {S.ACCEPTED, S.REFUSED, S.WITHDRAWN},
        # A template message is accepted first; its true result comes as an event.
        S.ACCEPTED: {S.DELIVERED, S.REFUSED},
    },
    final={S.DELIVERED, S.REFUSED, S.WITHDRAWN},
)

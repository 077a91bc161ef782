"""The legal moves of a delivery: what became of one message to one person."""

from o2o.crm.statuses import DeliveryStatus as S
from o2o.kernel.moves import Moves

DELIVERY_MOVES = Moves(
    {
        S.QUEUED: {S.ACCEPTED, S.REFUSED, S.WITHDRAWN},
        # A template message is accepted first; its true result comes as an event. One that WeChat
        # lost after taking it is queued again in its other form.
        S.ACCEPTED: {S.DELIVERED, S.REFUSED, S.QUEUED},
    },
    final={S.DELIVERED, S.REFUSED, S.WITHDRAWN},
)

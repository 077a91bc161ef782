"""The legal moves of a hold: it ends once, in one of three ways."""

from o2o.crm.statuses import HoldStatus
from o2o.kernel.moves import Moves

HOLD_MOVES = Moves(
    {HoldStatus.PENDING: {HoldStatus.POSTED, HoldStatus.VOIDED, HoldStatus.EXPIRED}},
    final={HoldStatus.POSTED, HoldStatus.VOIDED, HoldStatus.EXPIRED},
)

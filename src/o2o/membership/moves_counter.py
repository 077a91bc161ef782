"""The legal moves at the counter: a charge the member is asked about, a shift at a till."""

from o2o.crm.statuses import ChargeAnswerStatus, ShiftStatus
from o2o.kernel.moves import Moves

CHARGE_ANSWER_MOVES = Moves(
    {
        ChargeAnswerStatus.ASKED: {ChargeAnswerStatus.CONFIRMED, ChargeAnswerStatus.REFUSED},
    },
    final={ChargeAnswerStatus.CONFIRMED, ChargeAnswerStatus.REFUSED},
)

SHIFT_MOVES = Moves(
    {
        ShiftStatus.OPEN: {ShiftStatus.COUNTED},
        ShiftStatus.COUNTED: {ShiftStatus.CONFIRMED},
    },
    final={ShiftStatus.CONFIRMED},
)

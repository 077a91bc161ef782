"""The legal moves of what members ask for: refunds, value passed on, copies of their data."""

from o2o.crm.statuses import ExportStatus, PassOnStatus, RefundStatus
from o2o.kernel.moves import Moves

REFUND_MOVES = Moves(
    {RefundStatus.ASKED: {RefundStatus.PAID, RefundStatus.WITHDRAWN, RefundStatus.REFUSED}},
    final={RefundStatus.PAID, RefundStatus.WITHDRAWN, RefundStatus.REFUSED},
)

PASS_ON_MOVES = Moves(
    {
        PassOnStatus.OFFERED: {
            PassOnStatus.ACCEPTED,
            PassOnStatus.DECLINED,
            PassOnStatus.WITHDRAWN,
            PassOnStatus.RETURNED,
        }
    },
    final={
        PassOnStatus.ACCEPTED,
        PassOnStatus.DECLINED,
        PassOnStatus.WITHDRAWN,
        PassOnStatus.RETURNED,
    },
)

EXPORT_MOVES = Moves(
    {
        ExportStatus.REQUESTED: {ExportStatus.READY},
        ExportStatus.READY: {ExportStatus.FETCHED, ExportStatus.EXPIRED},
    },
    final={ExportStatus.FETCHED, ExportStatus.EXPIRED},
)

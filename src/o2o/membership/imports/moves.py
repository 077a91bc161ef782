"""The legal moves of an import."""

from o2o.crm.statuses import ImportStatus as S
from o2o.kernel.moves import Moves

IMPORT_MOVES = Moves(
    {
        S.UPLOADED: {S.CHECKED, S.UNREADABLE, S.WITHDRAWN},
        S.CHECKED: {S.CONFIRMED, S.WITHDRAWN},
        S.CONFIRMED: {S.DONE},
    },
    final={S.UNREADABLE, S.DONE, S.WITHDRAWN},
)

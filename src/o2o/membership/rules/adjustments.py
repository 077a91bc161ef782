"""Corrections: who may propose and decide what, how much in a day, and the legal moves."""

from datetime import timedelta

from o2o.crm.statuses import Asset, ProposalStatus, StaffRoleName
from o2o.kernel.moves import Moves

# An adjustment nobody decided on within a week has to be proposed again.
PROPOSAL_LASTS = timedelta(days=7)
# Counted over any twenty-four hours, by whoever proposes; what was rejected does not count.
LIMIT_WINDOW = timedelta(days=1)
POINTS_PER_DAY_MAX = 500
# The cap of a named prepaid card: nobody needs more put right in a day without being asked.
MONEY_FEN_PER_DAY_MAX = 500_000

REASON_CHARS_MIN = 4
REASON_CHARS_MAX = 200

# The role table of the security model: a manager proposes money and points, an agent points only,
# finance decides.
PROPOSERS = {
    Asset.CNY_FEN: frozenset({StaffRoleName.MANAGER}),
    Asset.POINTS: frozenset({StaffRoleName.MANAGER, StaffRoleName.SERVICE}),
}
DECIDERS = frozenset({StaffRoleName.FINANCE})
READERS = frozenset(
    {
        StaffRoleName.MANAGER,
        StaffRoleName.SERVICE,
        StaffRoleName.FINANCE,
        StaffRoleName.AUDITOR,
    }
)
# Whoever keeps the rules proposes the end of a programme; finance decides.
ENDERS = frozenset({StaffRoleName.MARKETER, StaffRoleName.MANAGER})

_S = ProposalStatus
PROPOSAL_MOVES = Moves(
    {_S.PROPOSED: {_S.APPROVED, _S.REJECTED, _S.WITHDRAWN, _S.EXPIRED}},
    final={_S.APPROVED, _S.REJECTED, _S.WITHDRAWN, _S.EXPIRED},
)


def is_reason_given(reason: str) -> bool:
    """Whether a reason says something and fits."""
    return REASON_CHARS_MIN <= len(reason.strip()) <= REASON_CHARS_MAX


def left_of_day(asset: Asset, *, used: int) -> int:
    """Return how much more may be proposed within the window, in points or fen."""
    most = POINTS_PER_DAY_MAX if asset is Asset.POINTS else MONEY_FEN_PER_DAY_MAX
    return max(most - used, 0)

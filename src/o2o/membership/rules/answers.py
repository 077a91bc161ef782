"""When a charge needs the member's own yes: above the limits, or when only identified.

The limits are the programme's; their defaults follow the People's Bank's classes for payment codes
(Yinfa 2017, No. 296), which bind payment institutions and are sound for a stored-value card.
"""

import msgspec

from o2o.crm.statuses import VisitVia


class NoPinLimits(msgspec.Struct, frozen=True):
    """Up to this a live code is enough, in fen: one charge, and a business day's sum."""

    charge_fen_max: int
    daily_fen_max: int


def needs_answer(
    *, amount_fen: int, unanswered_fen: int, via: VisitVia, limits: NoPinLimits
) -> bool:
    """Whether the member has to say yes.

    `unanswered_fen` is what was charged today without a yes. A phone tail or a printed card only
    says who it is: from there nothing is paid without one.
    """
    if via is not VisitVia.CODE:
        return True
    return amount_fen > limits.charge_fen_max or unanswered_fen + amount_fen > limits.daily_fen_max

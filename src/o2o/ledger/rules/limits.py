"""How much a prepaid card may hold, and which amounts a counter may move."""

from o2o.kernel.money import AMOUNT_FEN_MAX, Fen
from o2o.ledger.errors import AmountOutOfRange, BalanceLimitExceeded

# 单用途商业预付卡管理办法（试行）第十八条: at most 5,000 yuan on a named card, 1,000 on an
# unnamed one.
NAMED_BALANCE_FEN_MAX = Fen(500_000)
UNNAMED_BALANCE_FEN_MAX = Fen(100_000)

# Beyond this a number of points is a slip of the finger.
POINTS_MAX = 100_000_000


def prepaid_limit_fen(*, is_named: bool) -> Fen:
    """Return how much the card of a member may hold after a top-up, bonus included."""
    return NAMED_BALANCE_FEN_MAX if is_named else UNNAMED_BALANCE_FEN_MAX


def check_amount(
    amount: int, *, field: str, amount_min: int = 1, amount_max: int = AMOUNT_FEN_MAX
) -> None:
    """Raise AmountOutOfRange unless the amount (fen or points) lies within both ends."""
    if not amount_min <= amount <= amount_max:
        raise AmountOutOfRange(field=field, amount_min=amount_min, amount_max=amount_max)


def check_room(*, balance_fen: int, added_fen: int, limit_fen: int) -> None:
    """Raise BalanceLimitExceeded if the card would hold more than it may."""
    if balance_fen + added_fen > limit_fen:
        raise BalanceLimitExceeded(limit_fen=limit_fen, balance_fen=balance_fen)

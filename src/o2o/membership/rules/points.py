"""Points: how many a charge earns, when they end, how many stay when the charge is reversed."""

from datetime import datetime

from o2o.kernel.money import FEN_PER_YUAN
from o2o.membership.rules.periods import end_of_month_after

BASIS_POINTS_PER_WHOLE = 10_000


def points_for(amount_fen: int, *, points_per_yuan: int, multiplier_bp: int) -> int:
    """Return what a charge earns: rounded down once, after the multiplier; the rest is lost."""
    assert amount_fen >= 0 <= points_per_yuan
    return amount_fen * points_per_yuan * multiplier_bp // (FEN_PER_YUAN * BASIS_POINTS_PER_WHOLE)


def points_kept(points: int, *, base_fen: int, left_fen: int) -> int:
    """Return how many points stay when so much is left of the charge that earned them.

    Rounded down, so that charging and reversing in pieces never leaves more than the remaining
    charge is worth; a charge reversed as a whole leaves none.
    """
    assert 0 <= left_fen <= base_fen
    return points * left_fen // base_fen if base_fen else 0


def points_expire_at(at: datetime, *, valid_months: int | None, timezone: str) -> datetime | None:
    """Return when points earned at a moment end (exclusive), or None when they live for ever."""
    if valid_months is None:
        return None
    return end_of_month_after(at, months=valid_months, timezone=timezone)

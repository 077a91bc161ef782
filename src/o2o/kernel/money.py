"""Money as integer fen: parsing, splitting and wording, with every rounding named."""

import re
from collections.abc import Sequence
from typing import NewType

Fen = NewType("Fen", int)
Points = NewType("Points", int)

FEN_PER_YUAN = 100
# A balance or amount beyond this is a mistake, never a dinner: ten million yuan.
AMOUNT_FEN_MAX = Fen(1_000_000_000)

_YUAN = re.compile(r"(0|[1-9][0-9]{0,7})(?:\.([0-9]{1,2}))?", re.ASCII)


def parse_yuan(text: str) -> Fen:
    """Read what a clerk typed (`38`, `38.5`, `38.00`) as fen.

    Raises ValueError for signs, more than two decimals, separators and anything else.
    """
    match = _YUAN.fullmatch(text.strip())
    if match is None:
        msg = f"not an amount in yuan: {text!r}"
        raise ValueError(msg)
    whole, cents = match.group(1), (match.group(2) or "").ljust(2, "0")
    return Fen(int(whole) * FEN_PER_YUAN + int(cents))


def format_yuan(amount_fen: int) -> str:
    """Write fen as yuan with two places and grouping: 123456 → `1,234.56`."""
    sign = "-" if amount_fen < 0 else ""
    whole, cents = divmod(abs(amount_fen), FEN_PER_YUAN)
    return f"{sign}{whole:,}.{cents:02d}"


def split_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Split a non-negative total over weights by largest remainder; the parts sum exactly.

    Ties go to the earlier part, so that the same input always splits the same way.
    Raises ValueError when there is something to split and no weight to carry it.
    """
    weight_sum = sum(weights)
    if total == 0:
        return [0] * len(weights)
    if weight_sum <= 0 or min(weights) < 0 or total < 0:
        msg = "a positive total needs non-negative weights that are not all zero"
        raise ValueError(msg)
    parts = [total * weight // weight_sum for weight in weights]
    remainders = [total * weight % weight_sum for weight in weights]
    missing = total - sum(parts)
    for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:missing]:
        parts[index] += 1
    return parts

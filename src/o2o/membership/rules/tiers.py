"""Tiers: which level so much spending reaches, and what is missing to the next."""

from collections.abc import Sequence

import msgspec


class TierStep(msgspec.Struct, frozen=True):
    """A level and the spend over twelve months from which it holds, in fen."""

    code: str
    name: str
    spend_from_fen: int


def tier_at(tiers: Sequence[TierStep], *, spent_fen: int) -> TierStep:
    """Return the highest tier that the spend reaches; the lowest is for everybody."""
    reached = [tier for tier in tiers if tier.spend_from_fen <= spent_fen]
    lowest = min(tiers, key=lambda tier: tier.spend_from_fen)
    return max(reached, key=lambda tier: tier.spend_from_fen, default=lowest)


def next_tier(tiers: Sequence[TierStep], *, spent_fen: int) -> TierStep | None:
    """Return the next tier up, or None at the top."""
    above = [tier for tier in tiers if tier.spend_from_fen > spent_fen]
    return min(above, key=lambda tier: tier.spend_from_fen, default=None)

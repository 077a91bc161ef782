"""Tiers: which level spend and visits reach, what is missing to the next, what a lapse leads to."""

from collections.abc import Sequence

import msgspec


class TierStep(msgspec.Struct, frozen=True):
    """A level and what leads to it over twelve months: so much spend in fen, or so many visits.

    Without either it is only paid for or given by hand. Sequences of steps go from the lowest up.
    """

    code: str
    name: str
    spend_from_fen: int | None
    visits_from: int | None = None

    def is_reached(self, *, spent_fen: int, visits: int = 0) -> bool:
        """Whether spend or visits lead here."""
        by_spend = self.spend_from_fen is not None and self.spend_from_fen <= spent_fen
        return by_spend or self.is_reached_by_visits(visits=visits)

    def is_reached_by_visits(self, *, visits: int) -> bool:
        """Whether visits alone lead here."""
        return self.visits_from is not None and self.visits_from <= visits

    @property
    def is_earnable(self) -> bool:
        """Whether anything but money or a person's word leads here."""
        return self.spend_from_fen is not None or self.visits_from is not None


def tier_at(tiers: Sequence[TierStep], *, spent_fen: int, visits: int = 0) -> TierStep:
    """Return the highest tier that spend or visits reach; the lowest is for everybody."""
    reached = [tier for tier in tiers if tier.is_reached(spent_fen=spent_fen, visits=visits)]
    return reached[-1] if reached else tiers[0]


def next_tier(
    tiers: Sequence[TierStep], *, spent_fen: int, visits: int = 0, own_code: str | None = None
) -> TierStep | None:
    """Return the next tier up that can be earned, or None at the top.

    Above both the tier that is held and the one that is reached.
    """
    codes = [tier.code for tier in tiers]
    reached = codes.index(tier_at(tiers, spent_fen=spent_fen, visits=visits).code)
    own = codes.index(own_code) if own_code is not None else 0
    above = tiers[max(reached, own) + 1 :]
    return next((tier for tier in above if tier.is_earnable), None)


def rises_by_visits(tier: TierStep, *, spent_fen: int) -> bool:
    """Whether it is the visits, not the spend, that led to this tier."""
    return tier.spend_from_fen is None or tier.spend_from_fen > spent_fen

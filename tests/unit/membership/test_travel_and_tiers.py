"""Journeys nobody makes, and what is missing to the next tier."""

from datetime import timedelta

import pytest

from o2o.membership.rules.tiers import TierStep, next_tier, tier_at
from o2o.membership.rules.travel import distance_m, is_travel_unlikely, shortest_journey

SHANGHAI = (31.2236, 121.4458)
HANGZHOU = (30.2465, 120.1685)
TIERS = [TierStep("basic", "普通", 0), TierStep("silver", "银", 1000), TierStep("gold", "金", 5000)]


def test_distance_between_two_cities() -> None:
    metres = distance_m(*SHANGHAI, to_latitude=HANGZHOU[0], to_longitude=HANGZHOU[1])
    assert 162_000 < metres < 165_000
    assert distance_m(*SHANGHAI, to_latitude=SHANGHAI[0], to_longitude=SHANGHAI[1]) == 0
    # Antipodes do not leave the domain of the arc sine.
    assert 20_000_000 < distance_m(0, 0, to_latitude=0, to_longitude=180) < 20_020_000


@pytest.mark.parametrize(
    "metres, minutes, unlikely",
    [
        (500, 0, False),  # The same street.
        (10_000, 5, True),
        (10_000, 8, False),
        (164_000, 45, True),
        (164_000, 61, False),  # The train.
        (164_000, -5, False),  # A clock that was set back says nothing.
    ],
)
def test_only_journeys_nobody_makes_are_unlikely(
    metres: float, minutes: float, *, unlikely: bool
) -> None:
    assert is_travel_unlikely(metres, within=timedelta(minutes=minutes)) is unlikely


def test_farther_never_takes_less() -> None:
    journeys = [shortest_journey(metres) for metres in range(0, 400_000, 5_000)]
    assert journeys == sorted(journeys)


@pytest.mark.parametrize(
    "spent_fen, code, above",
    [
        (0, "basic", "silver"),
        (999, "basic", "silver"),
        (1000, "silver", "gold"),
        (9999, "gold", None),
    ],
)
def test_tier_by_spend(spent_fen: int, code: str, above: str | None) -> None:
    assert tier_at(TIERS, spent_fen=spent_fen).code == code
    step = next_tier(TIERS, spent_fen=spent_fen)
    assert (step.code if step else None) == above

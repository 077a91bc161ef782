"""How much a member spreads the word: a sum anybody can do again by hand.

What counts is people, not money: those the member brought, more so when they stayed, those whom
they brought in turn, and those to whom the member gave of the own card.
"""

import msgspec

POINTS_BROUGHT = 10
POINTS_STAYED = 5
POINTS_SECOND_HAND = 3
POINTS_GIVEN_TO = 2
# From here on somebody is called a missionary of the house.
MISSIONARY_FROM = 30


class Spreading(msgspec.Struct, frozen=True, kw_only=True):
    """How many people, each counted once in each line."""

    brought: int
    # Of those, who have paid at least twice.
    stayed: int
    # Brought by whom the member brought.
    second_hand: int
    given_to: int


class KOLScore(msgspec.Struct, frozen=True, kw_only=True):
    """The sum and its parts."""

    spreading: Spreading
    score: int
    is_missionary: bool


def kol_score(spreading: Spreading) -> KOLScore:
    """Add up: 10 for each person brought, 5 more who stayed, 3 at second hand, 2 given to."""
    score = (
        POINTS_BROUGHT * spreading.brought
        + POINTS_STAYED * spreading.stayed
        + POINTS_SECOND_HAND * spreading.second_hand
        + POINTS_GIVEN_TO * spreading.given_to
    )
    return KOLScore(spreading=spreading, score=score, is_missionary=score >= MISSIONARY_FROM)

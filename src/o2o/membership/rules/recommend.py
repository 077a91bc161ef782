"""Which dishes to offer a member, and why: own habits, what similar members take, what sells here.

Every dish gets a likelihood of being on the member's next bill. What the member did weighs the
more, the more bills there are; the rest is what members with the same dishes take, and what this
store sells. docs/algorithms/recommendations.md tells how and what it is worth.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from o2o.membership.rules.taste import Bill, weight_at

# So many bills of the member weigh as much as everything known of other members.
BILLS_OF_PRIOR = 4.0
# Of what is known of others: the share of members alike, the rest is the store's.
SHARE_OF_ALIKE = 0.6
# A dish the member told us to like is as good as so many bills with it.
BILLS_OF_LIKING = 2.0
WHOLE_BP = 10_000
# On so many own bills a dish is the usual.
USUAL_BILLS_MIN = 2


class Reason(StrEnum):
    """Why a dish is offered; the copy has a sentence for each."""

    USUAL = "usual"
    LAST_TIME = "last_time"
    HAD = "had"
    LIKED = "liked"
    ALIKE = "alike"
    POPULAR = "popular"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A dish as far as it is known. `contains` is None where nobody said what is in it."""

    item_code: str
    name: str
    contains: tuple[str, ...] | None


class Affinity(msgspec.Struct, frozen=True, kw_only=True):
    """Of members' bills, weighted by how often they take `item_code`: the share with the other."""

    item_code: str
    other_code: str
    affinity_bp: int
    members_both: int


class Selling(msgspec.Struct, frozen=True, kw_only=True):
    """How a dish sells in the store: its weight among that of all bills, and bills of 30 days."""

    item_code: str
    share_bp: int
    bills: int


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that a recommendation rests on."""

    bills: Sequence[Bill]
    items: Mapping[str, Item]
    affinities: Sequence[Affinity]
    selling: Sequence[Selling]
    allergies: Collection[str]
    dislikes: Collection[str]
    likes: Collection[str]


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A dish to offer. `reason_values` fill the places of the reason's sentence."""

    item_code: str
    item_name: str
    reason_code: Reason
    reason_values: dict[str, str | int]


class _Habits:
    """How much of the member's own bills each dish has."""

    def __init__(self, bills: Sequence[Bill], *, now: datetime) -> None:
        self.total = 0.0
        self.weights: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        with_items = [bill for bill in bills if bill.items]
        for bill in with_items:
            weight = weight_at(bill.bought_at, now=now)
            self.total += weight
            for code in {item.item_code for item in bill.items if item.is_telling}:
                self.weights[code] = self.weights.get(code, 0.0) + weight
                self.counts[code] = self.counts.get(code, 0) + 1
        latest = max(with_items, key=lambda bill: bill.bought_at, default=None)
        self.last = frozenset(item.item_code for item in latest.items) if latest else frozenset()


def recommend_items(known: Known, *, now: datetime, limit: int) -> list[Recommendation]:
    """Return up to `limit` dishes, the likeliest first; never one the member must not eat."""
    habits = _Habits(known.bills, now=now)
    alike = _alike(known.affinities, habits)
    selling = {sold.item_code: sold for sold in known.selling}
    scores: dict[str, float] = {}
    for code, item in known.items.items():
        if not is_fit(item, allergies=known.allergies, dislikes=known.dislikes):
            continue
        here = selling[code].share_bp * (1 / WHOLE_BP) if code in selling else 0.0
        prior = (SHARE_OF_ALIKE * alike[code][0] if code in alike else 0.0) + (
            (1 - SHARE_OF_ALIKE) * here if habits.weights else here
        )
        own = habits.weights.get(code, 0.0)
        if any(word in item.name for word in known.likes):
            own += BILLS_OF_LIKING
        likelihood = (own + BILLS_OF_PRIOR * prior) / (habits.total + BILLS_OF_PRIOR)
        if likelihood > 0.0:
            scores[code] = likelihood
    best = sorted(scores, key=lambda code: (-scores[code], code))[:limit]
    return [
        _with_reason(known.items[code], known=known, habits=habits, alike=alike, selling=selling)
        for code in best
    ]


def is_fit(item: Item, *, allergies: Collection[str], dislikes: Collection[str]) -> bool:
    """Whether a dish may be offered.

    Whoever has an allergy is offered only what somebody said the contents of: silence is no
    promise. A dislike rules out what is known to have it.
    """
    if allergies and item.contains is None:
        return False
    words = (item.name, *(item.contains or ()))
    has_avoided = any(_has(word, avoided) for avoided in (*allergies, *dislikes) for word in words)
    # Either way round where it is about health: an allergy to river shrimps meets "shrimp" too.
    has_kin = any(_has(avoided, word) for avoided in allergies for word in item.contains or ())
    return not (has_avoided or has_kin)


def _has(whole: str, part: str) -> bool:
    return part.casefold() in whole.casefold()


def _alike(
    affinities: Sequence[Affinity], habits: _Habits
) -> dict[str, tuple[float, Affinity | None]]:
    """Return of each dish how much of the bills of members alike it has, and what says so most."""
    weight = sum(habits.weights.values())
    if not weight:
        return {}
    found: dict[str, float] = {}
    strongest: dict[str, tuple[float, Affinity]] = {}
    for affinity in affinities:
        own = habits.weights.get(affinity.item_code, 0.0)
        if not own:
            continue
        said = own / weight * (affinity.affinity_bp * (1 / WHOLE_BP))
        found[affinity.other_code] = found.get(affinity.other_code, 0.0) + said
        if said > strongest.get(affinity.other_code, (0.0,))[0]:
            strongest[affinity.other_code] = (said, affinity)
    return {
        code: (share, strongest[code][1] if code in strongest else None)
        for code, share in found.items()
    }


def _with_reason(
    item: Item,
    *,
    known: Known,
    habits: _Habits,
    alike: Mapping[str, tuple[float, Affinity | None]],
    selling: Mapping[str, Selling],
) -> Recommendation:
    """Say what speaks most for a dish, as something that can be checked."""
    code = item.item_code
    reason, values = Reason.POPULAR, dict[str, str | int]()
    if habits.counts.get(code, 0) >= USUAL_BILLS_MIN:
        reason, values = Reason.USUAL, {"count": habits.counts[code]}
    elif code in habits.last:
        reason = Reason.LAST_TIME
    elif any(word in item.name for word in known.likes):
        reason = Reason.LIKED
    elif code in habits.counts:
        reason = Reason.HAD
    else:
        share, strongest = alike.get(code, (0.0, None))
        here = selling[code].share_bp * (1 / WHOLE_BP) if code in selling else 0.0
        because = known.items.get(strongest.item_code) if strongest else None
        if (
            because is not None
            and because is not item
            and share * SHARE_OF_ALIKE > here * (1 - SHARE_OF_ALIKE)
        ):
            reason, values = Reason.ALIKE, {"because": because.name}
        elif code in selling:
            values = {"count": selling[code].bills}
    return Recommendation(
        item_code=code, item_name=item.name, reason_code=reason, reason_values=values
    )

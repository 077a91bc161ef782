"""Reads of membership: members as shown to people, the ones behind fans and cards, tiers."""

from o2o.membership.queries.members import (
    MemberContext,
    MemberView,
    TierView,
    find_member_by_card,
    find_member_by_fan,
    get_member_view,
    list_card_numbers,
    list_member_contexts,
)
from o2o.membership.queries.tiers import TierProgress, get_tier_progress
from o2o.membership.queries.visits import (
    HeldVisit,
    LiveVisit,
    find_live_visit_of_pad,
    get_live_visit,
    list_held_visits,
)

__all__ = [
    "HeldVisit",
    "LiveVisit",
    "MemberContext",
    "MemberView",
    "TierProgress",
    "TierView",
    "find_live_visit_of_pad",
    "find_member_by_card",
    "find_member_by_fan",
    "get_live_visit",
    "get_member_view",
    "get_tier_progress",
    "list_card_numbers",
    "list_held_visits",
    "list_member_contexts",
]

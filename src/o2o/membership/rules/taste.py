"""Tastes read from bills: favourites, the usual spend, how often somebody comes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec

# What somebody ordered so long ago counts half of what was ordered today.
HALF_LIFE = timedelta(days=60)
FAVOURITES_MAX = 5
# Once is an experiment.
FAVOURITE_BILLS_MIN = 2
# Spend and rhythm are those of lately.
RECENT_BILLS = 20


class ItemOnBill(msgspec.Struct, frozen=True, kw_only=True):
    """That an item was on a bill; how many of it says more about the party than about taste."""

    item_code: str
    item_name: str
    bought_at: datetime
    # Rice, tea and fees say nothing about anybody.
    is_telling: bool


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """One bill of a member; without items where only its sum is known."""

    store_id: UUID | None
    total_fen: int
    bought_at: datetime
    items: tuple[ItemOnBill, ...] = ()


class Favourite(msgspec.Struct, frozen=True, kw_only=True):
    """An item that a member takes again and again."""

    item_code: str
    item_name: str
    # On how many bills, and on how many of a hundred.
    bills: int
    share_percent: int
    last_at: datetime


def weight_at(bought_at: datetime, *, now: datetime) -> float:
    """Return how much a bill of that moment still says: 1 now, half of it every HALF_LIFE."""
    age = max(now - bought_at, timedelta())
    return float(0.5 ** (age / HALF_LIFE))


def favourites(bills: Sequence[Bill], *, now: datetime) -> list[Favourite]:
    """Return the items most often and most lately on the bills, the dearest first."""
    with_items = sum(bool(bill.items) for bill in bills)
    weights: dict[str, float] = {}
    counts: dict[str, int] = {}
    latest: dict[str, ItemOnBill] = {}
    for bill in bills:
        for item in {item.item_code: item for item in bill.items if item.is_telling}.values():
            code = item.item_code
            weights[code] = weights.get(code, 0.0) + weight_at(item.bought_at, now=now)
            counts[code] = counts.get(code, 0) + 1
            if code not in latest or latest[code].bought_at < item.bought_at:
                latest[code] = item
    often = [code for code, count in counts.items() if count >= FAVOURITE_BILLS_MIN]
    often.sort(key=lambda code: (-weights[code], code))
    return [
        Favourite(
            item_code=code,
            item_name=latest[code].item_name,
            bills=counts[code],
            share_percent=100 * counts[code] // with_items,
            last_at=latest[code].bought_at,
        )
        for code in often[:FAVOURITES_MAX]
    ]


def usual_spend_fen(bills: Sequence[Bill]) -> int | None:
    """Return the median of the latest bills in fen, of two in the middle the lower one.

    The lower, so that it is a sum that was really paid. `bills` are newest first.
    """
    totals = sorted(bill.total_fen for bill in bills[:RECENT_BILLS])
    return totals[(len(totals) - 1) // 2] if totals else None


def days_between_visits(bills: Sequence[Bill]) -> int | None:
    """Return the median of days from one visit to the next; None before there are three visits.

    Several bills within half a day are one visit. `bills` are newest first.
    """
    moments: list[datetime] = []
    for bill in bills[: 2 * RECENT_BILLS]:
        if not moments or moments[-1] - bill.bought_at > timedelta(hours=12):
            moments.append(bill.bought_at)
    gaps = sorted(later - earlier for later, earlier in pairwise(moments[: RECENT_BILLS + 1]))
    # One gap is no rhythm.
    if len(gaps) < 2:
        return None
    return max(1, round(gaps[(len(gaps) - 1) // 2] / timedelta(days=1)))

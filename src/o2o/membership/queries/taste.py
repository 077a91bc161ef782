"""What is known of a member's taste: what they told us, and what their bills say of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TasteKind
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.membership.errors import MemberNotFound
from o2o.membership.rules.taste import (
    Bill,
    Favourite,
    ItemOnBill,
    days_between_visits,
    favourites,
    usual_spend_fen,
)

# As far back as taste is read.
BILLS_MAX = 60


class Taste(msgspec.Struct, frozen=True, kw_only=True):
    """What the counter may know. Without profiling only what the member told us is there."""

    is_profiled: bool
    favourites: list[Favourite]
    likes: list[str]
    dislikes: list[str]
    allergies: list[str]
    usual_spend_fen: int | None
    last_visit_at: datetime | None
    days_between_visits: int | None
    bills_count: int
    # How many of those bills are of the store that asks.
    bills_here: int


class TasteOwner(msgspec.Struct, frozen=True, kw_only=True):
    """A member as somebody who eats: who that is in the books, and what they told us."""

    # The member and whoever became one with the member.
    member_ids: list[UUID]
    brand_id: UUID
    is_profiled: bool
    likes: list[str]
    dislikes: list[str]
    allergies: list[str]


_OWNER = text(
    "SELECT m.brand_id, m.profiling_refused_at,"
    " (SELECT array_agg(o.id) FROM members o WHERE o.merged_into_id = m.id) AS merged_ids"
    " FROM members m WHERE m.id = :member_id AND m.status = 'active'"
)
# What was told of one that became part of this member is told of this member.
_DECLARED = text(
    "SELECT DISTINCT ON (word) word, kind FROM declared_tastes"
    " WHERE member_id = ANY(CAST(:ids AS uuid[])) ORDER BY word, declared_at DESC"
)
_BILLS = text(
    "SELECT p.store_id, p.total_fen, p.bought_at, l.codes, l.names, l.telling"
    " FROM (SELECT id, brand_id, store_id, total_fen, bought_at FROM purchases"
    "  WHERE member_id = ANY(CAST(:ids AS uuid[])) AND bought_at <= :now"
    "  ORDER BY bought_at DESC LIMIT :most) p"
    " LEFT JOIN LATERAL (SELECT array_agg(x.item_code ORDER BY x.position) AS codes,"
    "  array_agg(coalesce(i.name, x.item_name) ORDER BY x.position) AS names,"
    "  array_agg(coalesce(i.is_recommended, true) ORDER BY x.position) AS telling"
    "  FROM purchase_lines x LEFT JOIN purchase_items i"
    "  ON i.brand_id = p.brand_id AND i.item_code = x.item_code"
    "  WHERE x.purchase_id = p.id) l ON true ORDER BY p.bought_at DESC"
)
# Where nothing tells of dishes yet, the card still tells of sums.
_DEBITS = text(
    "SELECT t.store_id, t.amount, t.created_at"
    " FROM ledger_accounts a JOIN LATERAL (SELECT e.transfer_id, e.seq FROM ledger_entries e"
    "  WHERE e.account_id = a.id AND e.amount < 0 ORDER BY e.seq DESC LIMIT :most) e ON true"
    " JOIN ledger_transfers t ON t.id = e.transfer_id AND t.kind = 'debit'"
    " AND t.created_at <= :now"
    " WHERE a.owner_id = ANY(CAST(:ids AS uuid[])) AND a.kind = 'member_stored_value'"
    " AND NOT EXISTS (SELECT 1 FROM ledger_reversals r"
    "  WHERE r.transfer_id = t.id AND r.reversed = r.amount)"
    " ORDER BY t.created_at DESC LIMIT :most"
)


async def get_taste_owner(tx: Tx, member_id: UUID) -> TasteOwner:
    """Return who the member is in the books and what they told us. Raises MemberNotFound."""
    rows = await fetch_rows(tx, _OWNER, {"member_id": member_id})
    if not rows:
        raise MemberNotFound(member_id=member_id)
    member = rows[0]
    ids = [member_id, *(member.merged_ids or ())]
    told: dict[str, list[str]] = {kind.value: [] for kind in TasteKind}
    for row in await fetch_rows(tx, _DECLARED, {"ids": ids}):
        told[row.kind].append(row.word)
    return TasteOwner(
        member_ids=ids,
        brand_id=member.brand_id,
        is_profiled=member.profiling_refused_at is None,
        likes=told[TasteKind.LIKE],
        dislikes=told[TasteKind.DISLIKE],
        allergies=told[TasteKind.ALLERGY],
    )


async def list_bills(tx: Tx, member_ids: Sequence[UUID], *, now: datetime) -> list[Bill]:
    """Return the latest bills, at most BILLS_MAX, newest first."""
    values = {"ids": list(member_ids), "now": now, "most": BILLS_MAX}
    return [
        Bill(
            store_id=row.store_id,
            total_fen=row.total_fen,
            bought_at=row.bought_at,
            items=tuple(
                ItemOnBill(
                    item_code=code, item_name=name, bought_at=row.bought_at, is_telling=is_telling
                )
                for code, name, is_telling in zip(
                    row.codes or (), row.names or (), row.telling or (), strict=True
                )
            ),
        )
        for row in await fetch_rows(tx, _BILLS, values)
    ]


async def list_bills_of_card(tx: Tx, member_ids: Sequence[UUID], *, now: datetime) -> list[Bill]:
    """Return the latest debits as bills of which only the sum is known, newest first."""
    values = {"ids": list(member_ids), "now": now, "most": BILLS_MAX}
    return [
        Bill(store_id=row.store_id, total_fen=row.amount, bought_at=row.created_at)
        for row in await fetch_rows(tx, _DEBITS, values)
    ]


async def get_taste(tx: Tx, member_id: UUID, *, store_id: UUID | None, now: datetime) -> Taste:
    """Return what is known of a member's taste. Raises MemberNotFound.

    Who said no to profiling (PIPL article 24) has no conclusions drawn: only what they told us.
    """
    owner = await get_taste_owner(tx, member_id)
    bills: list[Bill] = []
    if owner.is_profiled:
        bills = await list_bills(tx, owner.member_ids, now=now)
        bills = bills or await list_bills_of_card(tx, owner.member_ids, now=now)
    return Taste(
        is_profiled=owner.is_profiled,
        favourites=favourites(bills, now=now),
        likes=owner.likes,
        dislikes=owner.dislikes,
        allergies=owner.allergies,
        usual_spend_fen=usual_spend_fen(bills),
        last_visit_at=bills[0].bought_at if bills else None,
        days_between_visits=days_between_visits(bills),
        bills_count=len(bills),
        bills_here=sum(bill.store_id == store_id for bill in bills),
    )

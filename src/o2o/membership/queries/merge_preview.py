"""What becoming one means, before it happens and while it can be undone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.kernel.text import mask_name
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.ledger.queries import Wallet, list_wallets
from o2o.membership.rules.merging import (
    UNDO_LASTS,
    Joined,
    MarketingAnswer,
    choose_survivor,
    excess_fen,
    undo_until,
    wants_marketing,
)

MERGES_MAX = 20


class MergeSide(msgspec.Struct, frozen=True, kw_only=True):
    """One of those who would become one; the name is masked unless it is one's own."""

    member_id: MemberId
    name_masked: str | None
    card_tail: str
    # How many cards bought over the counter come along.
    bought_cards: int
    joined_at: datetime
    tier_name: str
    balance_fen: int
    principal_fen: int
    bonus_fen: int
    points: int
    wants_marketing: bool
    # Chose a pay PIN: whoever is not this member itself has to know it.
    has_pin: bool
    is_own: bool
    is_survivor: bool


class MergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, the survivor first, and what the one will be."""

    sides: list[MergeSide]
    balance_fen: int
    principal_fen: int
    bonus_fen: int
    points: int
    tier_name: str
    card_tail: str
    wants_marketing: bool
    balance_fen_max: int
    # By how much the card is beyond that: nothing is lost, top-ups wait.
    excess_fen: int


class UndoableMerge(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that can still be undone."""

    merge_id: UUID
    merged_member_id: MemberId
    name_masked: str | None
    card_tail: str
    merged_at: datetime
    undo_until: datetime


_SIDES = text(
    "SELECT m.id, m.name, m.joined_at, m.pay_pin_hash IS NOT NULL AS has_pin,"
    " t.name AS tier_name, t.rank, right(c.card_no, 4) AS tail,"
    " EXISTS (SELECT 1 FROM fans f WHERE f.member_id = m.id) AS is_bound,"
    " (SELECT count(*) FROM offline_cards o WHERE o.member_id = m.id"
    "  AND o.status IN ('unbound', 'bound')) AS bought_cards,"
    " (SELECT bool_or(s.withdrawn_at IS NULL) FROM consents s WHERE s.member_id = m.id"
    "  AND s.purpose = 'marketing') AS marketing"
    " FROM members m JOIN tiers t ON t.id = m.tier_id"
    " LEFT JOIN cards c ON c.member_id = m.id AND c.status = 'active'"
    " WHERE m.id = ANY(CAST(:ids AS uuid[])) AND m.status = 'active'"
    " AND (CAST(:brand_id AS uuid) IS NULL OR m.brand_id = :brand_id)"
)
_UNDOABLE = text(
    "SELECT g.id, g.from_member_id, g.merged_at, m.name,"
    " (SELECT right(c.card_no, 4) FROM cards c WHERE c.member_id = m.id"
    "  ORDER BY c.issued_at DESC LIMIT 1) AS tail"
    " FROM member_merges g JOIN members m ON m.id = g.from_member_id"
    " WHERE g.into_member_id = :id AND g.undone_at IS NULL AND g.merged_at > :since"
    " ORDER BY g.merged_at DESC LIMIT :most"
)
_EMPTY = Wallet(balance_fen=0, principal_fen=0, bonus_fen=0, points=0)


async def preview_merge(
    tx: Tx, member_ids: Sequence[UUID], *, own_id: UUID | None, brand_id: UUID | None = None
) -> MergePreview | None:
    """Show what these members are and what the one will be; None when one is no more.

    With `brand_id`, members of another brand are none. The phone is proved, so that a real name
    on either side makes the one named.
    """
    asked = {"ids": sorted(member_ids), "brand_id": brand_id}
    rows = {row.id: row for row in await tx.execute(_SIDES, asked)}
    if set(rows) != set(member_ids) or not rows:
        return None
    wallets = await list_wallets(tx, [MemberId(id_) for id_ in rows])
    survivor = choose_survivor([Joined(row.id, row.joined_at) for row in rows.values()])
    ordered = sorted(rows.values(), key=lambda row: (row.id != survivor, row.joined_at, row.id))
    sides = [
        _side(row, wallets.get(MemberId(row.id), _EMPTY), own_id=own_id, survivor=survivor)
        for row in ordered
    ]
    answers = [
        MarketingAnswer(is_wanted=bool(row.marketing), was_asked=_was_asked(row)) for row in ordered
    ]
    kept = answers[0]
    for answer in answers[1:]:
        kept = MarketingAnswer(
            is_wanted=wants_marketing(kept, answer), was_asked=kept.was_asked or answer.was_asked
        )
    balance_fen = sum(side.balance_fen for side in sides)
    limit_fen = prepaid_limit_fen(is_named=any(row.name for row in ordered))
    return MergePreview(
        sides=sides,
        balance_fen=balance_fen,
        principal_fen=sum(side.principal_fen for side in sides),
        bonus_fen=sum(side.bonus_fen for side in sides),
        points=sum(side.points for side in sides),
        tier_name=max(ordered, key=lambda row: row.rank).tier_name,
        card_tail=sides[0].card_tail,
        wants_marketing=kept.is_wanted,
        balance_fen_max=limit_fen,
        excess_fen=excess_fen(balance_fen, balance_fen_max=limit_fen),
    )


def _was_asked(row: Any) -> bool:
    return row.marketing is not None or bool(row.is_bound)


def _side(row: Any, wallet: Wallet, *, own_id: UUID | None, survivor: UUID) -> MergeSide:
    return MergeSide(
        member_id=MemberId(row.id),
        name_masked=row.name if row.id == own_id else mask_name(row.name),
        card_tail=row.tail or "",
        bought_cards=row.bought_cards,
        joined_at=row.joined_at,
        tier_name=row.tier_name,
        balance_fen=wallet.balance_fen,
        principal_fen=wallet.principal_fen,
        bonus_fen=wallet.bonus_fen,
        points=wallet.points,
        wants_marketing=bool(row.marketing),
        has_pin=row.has_pin,
        is_own=row.id == own_id,
        is_survivor=row.id == survivor,
    )


async def list_guarded(tx: Tx, member_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of the members who chose a pay PIN."""
    found = text(
        "SELECT id FROM members WHERE id = ANY(CAST(:ids AS uuid[])) AND pay_pin_hash IS NOT NULL"
        " ORDER BY id"
    )
    return list(await tx.scalars(found, {"ids": sorted(member_ids)}))


async def list_undoable_merges(tx: Tx, member_id: UUID, *, now: datetime) -> list[UndoableMerge]:
    """Return what went into a member within seven days and can come out again, newest first."""
    rows = await tx.execute(
        _UNDOABLE, {"id": member_id, "since": now - UNDO_LASTS, "most": MERGES_MAX}
    )
    return [
        UndoableMerge(
            merge_id=row.id,
            merged_member_id=MemberId(row.from_member_id),
            name_masked=mask_name(row.name),
            card_tail=row.tail or "",
            merged_at=row.merged_at,
            undo_until=undo_until(row.merged_at),
        )
        for row in rows
    ]


async def is_merge_of(tx: Tx, merge_id: UUID, *, member_id: UUID) -> bool:
    """Whether it is a merge, undone or not, of which a member is a part."""
    return bool(
        await tx.scalar(
            text(
                "SELECT true FROM member_merges"
                " WHERE id = :id AND :member_id IN (into_member_id, from_member_id)"
            ),
            {"id": merge_id, "member_id": member_id},
        )
    )

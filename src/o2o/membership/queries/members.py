"""Members as people and other systems see them: card, tier, wallet; never a phone in full."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.ids import MemberId
from o2o.kernel.text import mask_phone
from o2o.ledger.queries import Wallet, list_wallets
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries.identity import list_survivors

CARDS_MAX = 1_000


class TierView(msgspec.Struct, frozen=True):
    """The level a member is at."""

    code: str
    name: str


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A member with what the card holds. `balance_fen` = `principal_fen` + `bonus_fen`."""

    id: MemberId
    card_no: str
    name: str | None
    phone_masked: str | None
    tier: TierView
    balance_fen: int
    principal_fen: int
    bonus_fen: int
    points: int
    # Whether a WeChat identity belongs to the member.
    bound: bool
    # Whether phone and name are verified, which decides how much the card may hold.
    is_named: bool
    home_store_id: UUID | None
    joined_at: datetime


class MemberContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat answer needs of a member."""

    member_id: MemberId
    name: str | None
    card_no: str
    tier_name: str
    wallet: Wallet


_MEMBERS = text(
    "SELECT m.id, m.name, m.phone, m.phone_verified_at, m.home_store_id, m.joined_at,"
    " c.card_no, t.code AS tier_code, t.name AS tier_name,"
    " EXISTS (SELECT 1 FROM fans f WHERE f.member_id = m.id) AS is_bound"
    " FROM members m JOIN tiers t ON t.id = m.tier_id"
    " JOIN cards c ON c.member_id = m.id AND c.status = 'active'"
    " WHERE m.id = ANY(CAST(:ids AS uuid[])) AND m.status = 'active'"
    " AND (CAST(:brand_id AS uuid) IS NULL OR m.brand_id = :brand_id)"
)
_EMPTY = Wallet(balance_fen=0, principal_fen=0, bonus_fen=0, points=0)


async def get_member_view(tx: Tx, member_id: UUID, *, brand_id: UUID | None) -> MemberView:
    """Return a member, or whom it became one with: the answer's id says who that is.

    `brand_id` comes from whoever asks; only a key of the whole group gives None. Raises
    MemberNotFound, also when the member is another brand's.
    """
    rows = await fetch_rows(tx, _MEMBERS, {"ids": [member_id], "brand_id": brand_id})
    if not rows and (survivors := await list_survivors(tx, [member_id])):
        asked = {"ids": [survivors[member_id]], "brand_id": brand_id}
        rows = await fetch_rows(tx, _MEMBERS, asked)
    if not rows:
        raise MemberNotFound(member_id=member_id)
    row = rows[0]
    wallets = await list_wallets(tx, [MemberId(row.id)])
    wallet = wallets.get(MemberId(row.id), _EMPTY)
    return MemberView(
        id=MemberId(row.id),
        card_no=row.card_no,
        name=row.name,
        phone_masked=mask_phone(row.phone),
        tier=TierView(row.tier_code, row.tier_name),
        balance_fen=wallet.balance_fen,
        principal_fen=wallet.principal_fen,
        bonus_fen=wallet.bonus_fen,
        points=wallet.points,
        bound=row.is_bound,
        is_named=row.name is not None and row.phone_verified_at is not None,
        home_store_id=row.home_store_id,
        joined_at=row.joined_at,
    )


async def list_member_contexts(tx: Tx, member_ids: Sequence[UUID]) -> dict[UUID, MemberContext]:
    """Return what chat says about these members, in two statements for any number of them."""
    ids = sorted(set(member_ids))
    rows = await fetch_rows(tx, _MEMBERS, {"ids": ids, "brand_id": None})
    wallets = await list_wallets(tx, [MemberId(row.id) for row in rows]) if rows else {}
    return {
        row.id: MemberContext(
            member_id=MemberId(row.id),
            name=row.name,
            card_no=row.card_no,
            tier_name=row.tier_name,
            wallet=wallets.get(MemberId(row.id), _EMPTY),
        )
        for row in rows
    }


async def find_member_by_fan(tx: Tx, fan_id: UUID) -> MemberId | None:
    """Return the member that a fan is bound to."""
    found = await tx.scalar(
        text(
            "SELECT m.id FROM fans f JOIN members m ON m.id = f.member_id"
            " WHERE f.id = :fan_id AND m.status = 'active'"
        ),
        {"fan_id": fan_id},
    )
    return MemberId(found) if found else None


async def find_member_by_card(tx: Tx, *, brand_id: UUID, card_no: str) -> MemberId | None:
    """Return whose card of the brand that is, if the card may be used."""
    found = await tx.scalar(
        text(
            "SELECT m.id FROM cards c JOIN members m ON m.id = c.member_id AND m.status = 'active'"
            " WHERE c.card_no = :card_no AND c.brand_id = :brand_id AND c.status = 'active'"
        ),
        {"card_no": card_no, "brand_id": brand_id},
    )
    return MemberId(found) if found else None


async def list_card_numbers(tx: Tx) -> list[tuple[MemberId, str]]:
    """Return members with their cards, by number, at most a thousand."""
    rows = await tx.execute(
        text(
            "SELECT member_id, card_no FROM cards WHERE status = 'active'"
            " ORDER BY card_no LIMIT :most"
        ),
        {"most": CARDS_MAX},
    )
    return [(MemberId(row.member_id), row.card_no) for row in rows]

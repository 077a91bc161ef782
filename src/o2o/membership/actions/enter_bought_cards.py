"""Enter cards sold over the counter, known from elsewhere, each with what it holds.

Each belongs to a member of its own, whom nobody in WeChat has claimed yet.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from o2o.crm.members import Member, OfflineCard
from o2o.crm.organisation import Tier
from o2o.crm.statuses import MemberStatus, OfflineCardStatus
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, MemberId, RequestId, StoreId, new_id
from o2o.ledger.actions.enter_opening_balances import OpeningBalance, enter_opening_balances
from o2o.membership.actions.import_code import code_hash
from o2o.membership.actions.issue_card import issue_card
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.points import points_expire_at
from o2o.membership.rules.scratch_cards import fold_card_code

TIMEZONE = "Asia/Shanghai"


class KnownBoughtCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card as it was sold; amounts in fen. Without a code it is bound at a pad only."""

    request_id: RequestId
    card_no: str
    code: str | None
    store_id: UUID
    principal_fen: int
    bonus_fen: int
    points: int
    sold_at: datetime


async def enter_bought_cards(
    tx: Tx,
    cards: Sequence[KnownBoughtCard],
    *,
    brand_id: BrandId,
    card_prefix: str,
    seal: Seal,
    now: datetime,
) -> list[MemberId]:
    """Return the cards' members. The accounts of the stores are open.

    All or none: a number that the brand already has is an IntegrityError.
    """
    lowest = select(Tier.id).where(Tier.brand_id == brand_id).order_by(Tier.rank).limit(1)
    tier_id = (await tx.execute(lowest)).scalar_one()
    ids = [MemberId(new_id()) for _ in cards]
    for card, member_id in zip(cards, ids, strict=True):
        tx.add(_member(card, member_id, brand_id=brand_id, tier_id=tier_id))
    await tx.flush()
    for card, member_id in zip(cards, ids, strict=True):
        tx.add(_offline_card(card, member_id, brand_id=brand_id, seal=seal))
        await issue_card(
            tx, brand_id=brand_id, member_id=member_id, card_prefix=card_prefix, now=now
        )
    rules = await get_programme(tx, brand_id)
    await enter_opening_balances(
        tx,
        [
            OpeningBalance(
                card.request_id,
                member_id,
                StoreId(card.store_id),
                card.principal_fen,
                card.bonus_fen,
                card.points,
                card.sold_at,
            )
            for card, member_id in zip(cards, ids, strict=True)
        ],
        brand_id=brand_id,
        staff_id=None,
        points_expire_at=points_expire_at(
            now, valid_months=rules.points_valid_months, timezone=TIMEZONE
        ),
        now=now,
    )
    return ids


def _member(
    card: KnownBoughtCard, member_id: MemberId, *, brand_id: BrandId, tier_id: UUID
) -> Member:
    return Member(
        id=member_id,
        brand_id=brand_id,
        tier_id=tier_id,
        status=MemberStatus.ACTIVE,
        home_store_id=card.store_id,
        joined_at=card.sold_at,
    )


def _offline_card(
    card: KnownBoughtCard, member_id: MemberId, *, brand_id: BrandId, seal: Seal
) -> OfflineCard:
    code = fold_card_code(card.code) if card.code else None
    return OfflineCard(
        id=new_id(),
        brand_id=brand_id,
        member_id=member_id,
        card_no=card.card_no,
        code_hash=code_hash(seal, card_no=card.card_no, code=code) if code else None,
        status=OfflineCardStatus.UNBOUND,
        store_id=card.store_id,
        created_at=card.sold_at,
    )

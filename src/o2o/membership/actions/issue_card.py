"""Issue a new member's card: the lowest tier, a number of the brand, accounts at zero."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.members import Card, Member
from o2o.crm.organisation import Tier
from o2o.crm.statuses import CardStatus, MemberStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, MemberId, new_id
from o2o.ledger.actions.open_accounts import open_member_accounts
from o2o.membership.rules.member_code import new_card_no

# With a nine-digit prefix a million numbers are free; a full brand is noticed, not looped over.
TRIES_MAX = 20


class CardNumbersExhausted(Exception):
    """Random numbers of the brand's prefix are all taken: the prefix is too long."""


async def create_member_with_card(
    tx: Tx, *, brand_id: BrandId, card_prefix: str, now: datetime
) -> MemberId:
    """Return a new member of the lowest tier with a card and empty accounts."""
    member_id = MemberId(new_id())
    lowest = select(Tier.id).where(Tier.brand_id == brand_id).order_by(Tier.rank).limit(1)
    tx.add(
        Member(
            id=member_id,
            brand_id=brand_id,
            tier_id=(await tx.execute(lowest)).scalar_one(),
            status=MemberStatus.ACTIVE,
            joined_at=now,
        )
    )
    await tx.flush()
    await issue_card(tx, brand_id=brand_id, member_id=member_id, card_prefix=card_prefix, now=now)
    await open_member_accounts(tx, brand_id=brand_id, member_ids=[member_id], now=now)
    return member_id


async def issue_card(
    tx: Tx, *, brand_id: BrandId, member_id: MemberId, card_prefix: str, now: datetime
) -> str:
    """Issue a number to a member who has none in force; return it. Raises CardNumbersExhausted."""
    for _ in range(TRIES_MAX):
        card_no = new_card_no(card_prefix)
        issued = await tx.execute(
            insert(Card)
            .values(
                id=new_id(),
                brand_id=brand_id,
                member_id=member_id,
                card_no=card_no,
                status=CardStatus.ACTIVE,
                issued_at=now,
            )
            .on_conflict_do_nothing(index_elements=[Card.card_no])
            .returning(Card.id)
        )
        if issued.first() is not None:
            return card_no
    raise CardNumbersExhausted(card_prefix)

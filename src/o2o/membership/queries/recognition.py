"""Recognise the one member that a system means by phone, openid or card number."""

from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_api import SeveralMembersFound
from o2o.membership.errors_identity import CardReplaced, CardReportedLost
from o2o.membership.queries.card_fates import find_card_refusal

# By the index of each brand; a key of the whole group asks all of them. A verified phone is its
# member's, whoever else it was noted with.
_BY_PHONE = text(
    "SELECT m.id, m.phone_verified_at IS NOT NULL AS is_verified FROM brands b"
    " JOIN members m ON m.brand_id = b.id AND m.phone = :phone AND m.status = 'active'"
    " WHERE CAST(:brand_id AS uuid) IS NULL OR b.id = :brand_id"
    " ORDER BY m.id LIMIT 20"
)
_BY_OPENID = text(
    "SELECT DISTINCT m.id FROM official_accounts a"
    " JOIN fans f ON f.account_id = a.id AND f.openid = :openid"
    " JOIN members m ON m.id = f.member_id AND m.status = 'active'"
    " WHERE CAST(:brand_id AS uuid) IS NULL OR a.brand_id = :brand_id"
)
# The programme's card, or one bought over the counter; neither when it was lost or replaced.
_BY_CARD = text(
    "SELECT m.id FROM brands b JOIN cards c ON c.brand_id = b.id AND c.card_no = :card_no"
    " AND c.status = 'active' JOIN members m ON m.id = c.member_id AND m.status = 'active'"
    " WHERE CAST(:brand_id AS uuid) IS NULL OR b.id = :brand_id"
    " UNION SELECT m.id FROM brands b"
    " JOIN offline_cards o ON o.brand_id = b.id AND o.card_no = :card_no"
    " AND o.status IN ('unbound', 'bound')"
    " JOIN members m ON m.id = o.member_id AND m.status = 'active'"
    " WHERE CAST(:brand_id AS uuid) IS NULL OR b.id = :brand_id"
)


async def get_member_by_phone(tx: Tx, phone: str, *, brand_id: UUID | None) -> MemberId:
    """Return whose phone that is; None as brand is the whole group.

    Raises MemberNotFound, SeveralMembersFound.
    """
    rows = (await tx.execute(_BY_PHONE, {"phone": phone, "brand_id": brand_id})).all()
    verified = [row.id for row in rows if row.is_verified]
    return _only(verified or [row.id for row in rows])


async def get_member_by_openid(tx: Tx, openid: str, *, brand_id: UUID | None) -> MemberId:
    """Return who the fan is as a member. Raises MemberNotFound, SeveralMembersFound."""
    return _only(list(await tx.scalars(_BY_OPENID, {"openid": openid, "brand_id": brand_id})))


async def get_member_by_card(tx: Tx, card_no: str, *, brand_id: UUID | None) -> MemberId:
    """Return whose card that is, ours or one bought over the counter.

    Raises MemberNotFound, SeveralMembersFound, CardReportedLost, CardReplaced.
    """
    found = list(await tx.scalars(_BY_CARD, {"card_no": card_no, "brand_id": brand_id}))
    if not found:
        refusal = await find_card_refusal(tx, brand_id=brand_id, card_no=card_no)
        if isinstance(refusal, CardReportedLost | CardReplaced):
            raise refusal
    return _only(found)


def _only(found: list[UUID]) -> MemberId:
    if not found:
        raise MemberNotFound
    if len(found) > 1:
        raise SeveralMembersFound
    return MemberId(found[0])

"""Members by the end of their phone number, shown so far that the one who asks is recognised."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.kernel.text import mask_name, mask_phone
from o2o.membership.rules.search import end_of_prefix

# More would be a directory; somebody who is not among them says one digit more.
FOUND_MAX = 6
TAIL_DIGITS_MIN = 4


class FoundMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose phone ends so; name and phone masked."""

    member_id: MemberId
    who: str | None
    phone_masked: str | None
    card_tail: str


_BY_TAIL = text(
    "SELECT m.id, m.name, m.phone, c.card_no FROM members m"
    " JOIN cards c ON c.member_id = m.id AND c.status = 'active'"
    " WHERE m.brand_id = :brand_id AND m.status = 'active' AND m.phone_verified_at IS NOT NULL"
    # Written from its end, as the index has it.
    " AND reverse(m.phone) ~>=~ :low AND reverse(m.phone) ~<~ :high"
    " AND (CAST(:member_id AS uuid) IS NULL OR m.id = :member_id)"
    " ORDER BY m.joined_at DESC, m.id LIMIT :most"
)


async def list_members_by_tail(
    tx: Tx, *, brand_id: UUID, tail: str, member_id: UUID | None = None
) -> list[FoundMember]:
    """Return the brand's members whose verified phone ends in these digits, at most one too many.

    More than FOUND_MAX means: ask for one digit more. With `member_id`, whether it is that one.
    """
    low = tail[::-1]
    asked = {
        "brand_id": brand_id,
        "low": low,
        "high": end_of_prefix(low),
        "member_id": member_id,
        "most": FOUND_MAX + 1,
    }
    return [
        FoundMember(
            member_id=MemberId(row.id),
            who=mask_name(row.name),
            phone_masked=mask_phone(row.phone),
            card_tail=row.card_no[-4:],
        )
        for row in await tx.execute(_BY_TAIL, asked)
    ]

"""Who a member is to every part of the system: the numbers and names to look for."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.errors import MemberNotFound


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One member, those who became one with it, and everything it is recognised by."""

    member_id: UUID
    brand_id: UUID
    # The member first, then those merged into it.
    member_ids: list[UUID]
    fan_ids: list[UUID]
    # One for each fan, in the same order.
    account_ids: list[UUID]
    openids: list[str]
    unionids: list[str]
    phones: list[str]
    names: list[str]
    card_numbers: list[str]


_MEMBERS = text(
    "WITH RECURSIVE one AS ("
    " SELECT id, brand_id, name, phone, 0 AS depth FROM members"
    "  WHERE id = :member_id AND status = 'active'"
    " UNION ALL SELECT m.id, m.brand_id, m.name, m.phone, one.depth + 1 FROM members m"
    "  JOIN one ON m.merged_into_id = one.id)"
    " SELECT id, brand_id, name, phone FROM one ORDER BY depth, id"
)
_IDENTITIES = text(
    "SELECT kind, value FROM member_identities WHERE member_id = ANY(CAST(:member_ids AS uuid[]))"
)
# Also a fan of the brand that nobody bound yet and that WeChat says is the same person.
_FANS = text(
    "SELECT f.id, f.account_id, f.openid, f.unionid, f.nickname FROM fans f"
    " JOIN official_accounts a ON a.id = f.account_id"
    " WHERE f.member_id = ANY(CAST(:member_ids AS uuid[]))"
    " OR (a.brand_id = :brand_id AND f.member_id IS NULL"
    " AND (f.unionid = ANY(CAST(:unionids AS text[]))"
    "  OR f.openid = ANY(CAST(:openids AS text[]))))"
    " ORDER BY f.id"
)
_CARDS = text(
    "SELECT card_no FROM cards WHERE member_id = ANY(CAST(:member_ids AS uuid[]))"
    " UNION SELECT card_no FROM offline_cards WHERE member_id = ANY(CAST(:member_ids AS uuid[]))"
)


async def get_person(tx: Tx, member_id: UUID) -> Person:
    """Return a member with everything it is recognised by. Raises MemberNotFound."""
    members = (await tx.execute(_MEMBERS, {"member_id": member_id})).all()
    if not members:
        raise MemberNotFound(member_id=member_id)
    member_ids = [row.id for row in members]
    identities = (await tx.execute(_IDENTITIES, {"member_ids": member_ids})).all()
    known = {
        kind: {row.value for row in identities if row.kind == kind}
        for kind in ("openid", "unionid", "phone")
    }
    fans = (
        await tx.execute(
            _FANS,
            {
                "member_ids": member_ids,
                "brand_id": members[0].brand_id,
                "unionids": sorted(known["unionid"]),
                "openids": sorted(known["openid"]),
            },
        )
    ).all()
    cards = await tx.scalars(_CARDS, {"member_ids": member_ids})
    return Person(
        member_id=member_id,
        brand_id=members[0].brand_id,
        member_ids=member_ids,
        fan_ids=[row.id for row in fans],
        account_ids=[row.account_id for row in fans],
        openids=[row.openid for row in fans],
        unionids=sorted(known["unionid"] | {row.unionid for row in fans if row.unionid}),
        phones=sorted(known["phone"] | {row.phone for row in members if row.phone}),
        names=sorted(
            {row.name for row in members if row.name}
            | {row.nickname for row in fans if row.nickname}
        ),
        card_numbers=sorted(cards),
    )


def person_values(person: Person) -> dict[str, Any]:
    """Return the values that conditions on a person's rows name."""
    return {
        "member_ids": person.member_ids,
        "member_texts": [str(member_id) for member_id in person.member_ids],
        "fan_ids": person.fan_ids,
        "account_ids": person.account_ids,
        "openids": person.openids,
        "phones": person.phones,
        "names": person.names,
        "card_numbers": person.card_numbers,
        # Each names nobody else, wherever it stands.
        "marks": [*person.openids, *person.unionids, *person.phones],
    }

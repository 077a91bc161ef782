"""Who is who: members by phone, the survivor of a merge, and the members that went into one."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.ids import BrandId, MemberId

# More cards than anybody has; a phone that stands in more rows is a test number.
CANDIDATES_MAX = 10


class PhoneOwner(msgspec.Struct, frozen=True, kw_only=True):
    """A member who has a phone."""

    member_id: MemberId
    joined_at: datetime
    is_verified: bool
    # Whether somebody in WeChat is this member.
    is_bound: bool

    @property
    def may_be_joined(self) -> bool:
        """Whether proving the phone is enough to become one with this member.

        A phone that somebody in WeChat was merely noted with says nothing about them.
        """
        return self.is_verified or not self.is_bound


_BY_PHONE = text(
    "SELECT m.id, m.joined_at, m.phone_verified_at IS NOT NULL AS is_verified,"
    " EXISTS (SELECT 1 FROM fans f WHERE f.member_id = m.id) AS is_bound"
    " FROM members m WHERE m.brand_id = :brand_id AND m.status = 'active' AND m.phone = :phone"
    " ORDER BY m.joined_at, m.id LIMIT :most"
)
_SURVIVORS = text(
    "WITH RECURSIVE way AS ("
    "  SELECT id AS asked, id, merged_into_id FROM members WHERE id = ANY(CAST(:ids AS uuid[]))"
    "  UNION ALL SELECT w.asked, m.id, m.merged_into_id FROM way w"
    "  JOIN members m ON m.id = w.merged_into_id)"
    " SELECT asked, id FROM way WHERE merged_into_id IS NULL AND asked <> id"
)
_PREDECESSORS = text(
    "WITH RECURSIVE way AS ("
    "  SELECT id FROM members WHERE merged_into_id = :id"
    "  UNION ALL SELECT m.id FROM way w JOIN members m ON m.merged_into_id = w.id)"
    " SELECT id FROM way ORDER BY id"
)


async def find_members_by_phone(tx: Tx, *, brand_id: BrandId, phone: str) -> list[PhoneOwner]:
    """Return the brand's members with a phone, verified or not, oldest first; at most ten."""
    rows = await tx.execute(
        _BY_PHONE, {"brand_id": brand_id, "phone": phone, "most": CANDIDATES_MAX}
    )
    return [
        PhoneOwner(
            member_id=MemberId(row.id),
            joined_at=row.joined_at,
            is_verified=row.is_verified,
            is_bound=row.is_bound,
        )
        for row in rows
    ]


async def list_survivors(tx: Tx, member_ids: Collection[UUID]) -> dict[UUID, MemberId]:
    """Return who each of these became one with, in the end; those who did not are left out."""
    if not member_ids:
        return {}
    rows = await fetch_rows(tx, _SURVIVORS, {"ids": sorted(member_ids)})
    return {row.asked: MemberId(row.id) for row in rows}


async def list_merged_members(tx: Tx, member_id: UUID) -> list[MemberId]:
    """Return the members that went into this one: what happened before stands under their ids."""
    rows = await tx.scalars(_PREDECESSORS, {"id": member_id})
    return [MemberId(row) for row in rows]


class OwnPhone(msgspec.Struct, frozen=True, kw_only=True):
    """A member's phone in full, for the member's own use."""

    phone: str | None
    is_verified: bool
    # Whether a pay PIN may stand for it.
    has_pin: bool


_OWN_PHONE = text(
    "SELECT phone, phone_verified_at IS NOT NULL AS is_verified,"
    " pay_pin_hash IS NOT NULL AS has_pin FROM members WHERE id = :id AND status = 'active'"
)


async def find_own_phone(tx: Tx, member_id: UUID) -> OwnPhone:
    """Return a member's phone; nothing for somebody who is no member any more."""
    row = (await tx.execute(_OWN_PHONE, {"id": member_id})).first()
    if row is None:
        return OwnPhone(phone=None, is_verified=False, has_pin=False)
    return OwnPhone(phone=row.phone, is_verified=row.is_verified, has_pin=row.has_pin)

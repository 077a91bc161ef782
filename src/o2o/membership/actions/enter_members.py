"""Enter members known from elsewhere, many at once, with cards and accounts."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.members import Card, Consent, Member, MemberIdentity
from o2o.crm.organisation import Tier
from o2o.crm.statuses import ConsentPurpose, IdentityKind, MemberStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, MemberId, new_id
from o2o.ledger.actions.open_accounts import open_member_accounts


class KnownMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member with a card, as another system or a file knows them."""

    card_no: str
    name: str
    phone: str
    is_named: bool
    birthday: date | None
    tier_code: str
    home_store_id: UUID
    joined_at: datetime


async def enter_members(
    tx: Tx,
    *,
    brand_id: BrandId,
    members: Sequence[KnownMember],
    terms_version: str,
    now: datetime,
) -> dict[str, MemberId]:
    """Return the member of each card number.

    All or none: a card number or phone that the brand already has is an IntegrityError.
    """
    tiers = {
        row.code: row.id
        for row in await tx.execute(select(Tier.code, Tier.id).where(Tier.brand_id == brand_id))
    }
    ids = {member.card_no: MemberId(new_id()) for member in members}
    rows = [_member_row(brand_id, ids[m.card_no], member=m, tiers=tiers) for m in members]
    await tx.execute(insert(Member).values(rows))
    identities = [_identity_row(brand_id, ids[m.card_no], member=m) for m in members]
    await tx.execute(insert(MemberIdentity).values(identities))
    cards = [_card_row(brand_id, ids[m.card_no], member=m) for m in members]
    await tx.execute(insert(Card).values(cards))
    consents = [
        _consent_row(ids[m.card_no], member=m, terms_version=terms_version) for m in members
    ]
    await tx.execute(insert(Consent).values(consents))
    await open_member_accounts(tx, brand_id=brand_id, member_ids=list(ids.values()), now=now)
    return ids


def _member_row(
    brand_id: BrandId, member_id: MemberId, *, member: KnownMember, tiers: dict[str, UUID]
) -> dict[str, object]:
    return {
        "id": member_id,
        "brand_id": brand_id,
        "tier_id": tiers[member.tier_code],
        "status": MemberStatus.ACTIVE,
        "name": member.name,
        "phone": member.phone,
        "phone_verified_at": member.joined_at if member.is_named else None,
        "birthday": member.birthday,
        "home_store_id": member.home_store_id,
        "joined_at": member.joined_at,
    }


def _identity_row(
    brand_id: BrandId, member_id: MemberId, *, member: KnownMember
) -> dict[str, object]:
    return {
        "id": new_id(),
        "brand_id": brand_id,
        "member_id": member_id,
        "kind": IdentityKind.PHONE,
        "value": member.phone,
        "created_at": member.joined_at,
    }


def _card_row(brand_id: BrandId, member_id: MemberId, *, member: KnownMember) -> dict[str, object]:
    return {
        "id": new_id(),
        "brand_id": brand_id,
        "member_id": member_id,
        "card_no": member.card_no,
        "issued_at": member.joined_at,
    }


def _consent_row(
    member_id: MemberId, *, member: KnownMember, terms_version: str
) -> dict[str, object]:
    return {
        "id": new_id(),
        "member_id": member_id,
        "purpose": ConsentPurpose.MEMBERSHIP,
        "terms_version": terms_version,
        "given_at": member.joined_at,
    }

"""Who would become one with a diner who proved a phone."""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId
from o2o.membership.queries.identity import find_members_by_phone
from o2o.membership.queries.verifications import find_proof
from o2o.web.principals import Diner


class Joinable(msgspec.Struct, frozen=True, kw_only=True):
    """The members that have the proved phone, beside the diner's own."""

    owner_ids: list[UUID]
    # With the diner's own, where there is one.
    all_ids: list[UUID]


async def find_joinable(tx: Tx, diner: Diner, *, now: datetime) -> Joinable | None:
    """Return who has the phone that the diner proved last; None without a proof or an owner."""
    proof = await find_proof(tx, diner.fan_id, purpose=VerificationPurpose.BIND, now=now)
    if proof is None:
        return None
    found = await find_members_by_phone(tx, brand_id=BrandId(diner.brand_id), phone=proof.phone)
    owner_ids: list[UUID] = [
        owner.member_id
        for owner in found
        if owner.may_be_joined and owner.member_id != diner.member_id
    ]
    if not owner_ids:
        return None
    own = [diner.member_id] if diner.member_id is not None else []
    return Joinable(owner_ids=owner_ids, all_ids=[*own, *owner_ids])

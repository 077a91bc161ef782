"""Open a member's dossier for whoever is allowed: the check that all its changes begin with."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_dossier import ReasonMissing
from o2o.membership.rules.dossier import (
    MAY_LOOK,
    MAY_SEE_PHONE,
    MAY_WRITE,
    REASON_CHARS_MAX,
    REASON_CHARS_MIN,
    readable,
)
from o2o.staff.queries import find_brand_with_role
from o2o.web.errors import RoleMissing

_MEMBER = text(
    "SELECT id FROM members WHERE id = :member_id AND brand_id = :brand_id AND status = 'active'"
)
_HELD = text(f"{_MEMBER.text} FOR NO KEY UPDATE")
_PHONE = text("SELECT phone FROM members WHERE id = :member_id")


async def lock_dossier(tx: Tx, *, member_id: UUID, by: UUID) -> UUID:
    """Hold the member's row until the end; return the brand.

    Raises RoleMissing unless `by` may write, MemberNotFound also for another brand's member.
    """
    brand_id = await brand_for(tx, by, roles=MAY_WRITE)
    values = {"member_id": member_id, "brand_id": brand_id}
    if await tx.scalar(_HELD, values) is None:
        raise MemberNotFound(member_id=member_id)
    return brand_id


async def look_into_dossier(tx: Tx, *, member_id: UUID, by: UUID, now: datetime) -> UUID:
    """Return the brand, and note who looked. Raises RoleMissing, MemberNotFound."""
    brand_id = await brand_for(tx, by, roles=MAY_LOOK)
    values = {"member_id": member_id, "brand_id": brand_id}
    if await tx.scalar(_MEMBER, values) is None:
        raise MemberNotFound(member_id=member_id)
    await note(
        tx,
        actor=Actor("staff", by),
        action="dossier.viewed",
        at=now,
        # Not under the member: who looked belongs to no timeline.
        subject=("dossier", member_id),
    )
    return brand_id


async def show_phone(
    tx: Tx, *, member_id: UUID, by: UUID, reason: str, now: datetime
) -> str | None:
    """Return the phone number in full, and note who saw it and why.

    Raises RoleMissing for all but the service agent, ReasonMissing, MemberNotFound.
    """
    brand_id = await brand_for(tx, by, roles=MAY_SEE_PHONE)
    why = readable(reason, chars_max=REASON_CHARS_MAX)
    if why is None or len(why) < REASON_CHARS_MIN:
        raise ReasonMissing
    values = {"member_id": member_id, "brand_id": brand_id}
    if await tx.scalar(_MEMBER, values) is None:
        raise MemberNotFound(member_id=member_id)
    await note(
        tx,
        actor=Actor("staff", by),
        action="phone.shown",
        at=now,
        subject=("dossier", member_id),
        reason=why,
    )
    phone: str | None = await tx.scalar(_PHONE, {"member_id": member_id})
    return phone


async def brand_for(tx: Tx, staff_id: UUID, *, roles: Collection[StaffRoleName]) -> UUID:
    """Return the brand whose members the person may see: of any store, when one is the person's."""
    brand_id = await find_brand_with_role(tx, staff_id, roles=roles)
    if brand_id is None:
        raise RoleMissing
    return brand_id

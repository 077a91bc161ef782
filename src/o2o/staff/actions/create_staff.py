"""Create a staff member with roles; secrets come hashed, since hashing is slow."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.staff import StaffMember, StaffRole
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import StaffId, new_id
from o2o.staff.errors import LoginTaken
from o2o.staff.rules import fold_login


class RoleAt(msgspec.Struct, frozen=True):
    """One role in one store, or in the whole brand when no store is named."""

    role: StaffRoleName
    store_id: UUID | None = None


async def create_staff(
    tx: Tx,
    *,
    brand_id: UUID,
    login: str,
    name: str,
    roles: Sequence[RoleAt],
    password_hash: str | None,
    pin_hash: str | None,
    actor: Actor,
    now: datetime,
) -> StaffId:
    """Raises LoginTaken. Secrets are hashed beforehand, by `o2o.infra.passwords`."""
    staff_id = StaffId(new_id())
    created = await tx.execute(
        insert(StaffMember)
        .values(
            id=staff_id,
            brand_id=brand_id,
            login=fold_login(login),
            name=name,
            password_hash=password_hash,
            pin_hash=pin_hash,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[StaffMember.login])
        .returning(StaffMember.id)
    )
    if created.first() is None:
        raise LoginTaken
    for role in roles:
        tx.add(StaffRole(id=new_id(), staff_id=staff_id, role=role.role, store_id=role.store_id))
    await tx.flush()
    await note(
        tx,
        actor=actor,
        action="staff.created",
        at=now,
        subject=("staff", staff_id),
        roles=[[role.role.value, str(role.store_id or "")] for role in roles],
    )
    return staff_id

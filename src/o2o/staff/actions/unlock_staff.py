"""Unlock a person whose PIN was guessed wrong five times: a manager of one of their stores may."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from o2o.crm.staff import StaffMember
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.staff import queries
from o2o.staff.errors import StaffNotFound


async def unlock_staff(tx: Tx, *, staff_id: UUID, by: UUID, now: datetime) -> None:
    """Let the person try again. Unlocking twice changes nothing.

    Raises StaffNotFound, also when `by` manages none of the person's stores or is the person.
    """
    person = await queries.get_staff(tx, staff_id)
    manager = await queries.get_staff(tx, by)
    roles = await queries.list_roles(tx, [staff_id, by])
    is_over = (
        by != staff_id
        and manager.brand_id == person.brand_id
        and _manages(roles[by], roles[staff_id])
    )
    if not is_over:
        raise StaffNotFound
    await tx.execute(
        update(StaffMember)
        .where(StaffMember.id == staff_id)
        .values(pin_failures=0, pin_locked_at=None)
    )
    await note(
        tx, actor=Actor("staff", by), action="staff.unlocked", at=now, subject=("staff", staff_id)
    )


def _manages(manager: queries.RolesOf, person: queries.RolesOf) -> bool:
    managed = manager.get(StaffRoleName.MANAGER, frozenset())
    if managed is None:
        return True
    return any(stores is not None and stores & managed for stores in person.values())

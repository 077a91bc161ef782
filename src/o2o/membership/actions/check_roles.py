"""Check that somebody may do this for the brand: roles are read now, not taken from a session."""

from collections.abc import Collection
from uuid import UUID

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.staff.errors import StaffNotFound
from o2o.staff.queries import get_staff, list_roles
from o2o.web.errors import RoleMissing


async def check_brand_role(
    tx: Tx,
    *,
    staff_id: UUID,
    brand_id: UUID,
    roles: Collection[StaffRoleName],
    store_id: UUID | None = None,
) -> None:
    """Raise RoleMissing unless the person has one of the roles, in the store or the whole brand.

    What names no store needs a role that covers every store.
    """
    try:
        staff = await get_staff(tx, staff_id)
    except StaffNotFound:
        raise RoleMissing from None
    held = (await list_roles(tx, [staff_id]))[staff_id]
    covers = [held[role] for role in roles if role in held]
    is_covered = any(stores is None or store_id in stores for stores in covers)
    if staff.brand_id != brand_id or staff.disabled_at is not None or not is_covered:
        raise RoleMissing

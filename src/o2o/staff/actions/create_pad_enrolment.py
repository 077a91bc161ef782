"""Create a one-time code with which a browser becomes a pad of one store, for ten minutes."""

import secrets
from datetime import datetime
from uuid import UUID

from o2o.crm.staff import PadEnrolment
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.staff import queries
from o2o.staff.rules import ENROLMENT_DIGITS, ENROLMENT_LASTS
from o2o.web.errors import RoleMissing


async def create_pad_enrolment(
    tx: Tx, *, seal: Seal, store_id: UUID, by: UUID, now: datetime
) -> str:
    """Return eight digits that work once. Only a manager of the store may: raises RoleMissing."""
    if not await queries.exists_role(
        tx, staff_id=by, store_id=store_id, roles={StaffRoleName.MANAGER}
    ):
        raise RoleMissing
    code = f"{secrets.randbelow(10**ENROLMENT_DIGITS):0{ENROLMENT_DIGITS}d}"
    tx.add(
        PadEnrolment(
            code_hash=enrolment_hash(seal, code),
            store_id=store_id,
            created_by=by,
            created_at=now,
            expires_at=now + ENROLMENT_LASTS,
        )
    )
    await tx.flush()
    await note(
        tx, actor=Actor("staff", by), action="pad_enrolment.created", at=now, store_id=store_id
    )
    return code


def enrolment_hash(seal: Seal, code: str) -> bytes:
    """Hash a one-time code as it is kept."""
    return seal.hash_of(code, use="pad_enrolment")

"""Revoke a pad: its cookie opens nothing any more, whoever is signed in on it is out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from o2o.crm.staff import Pad
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.staff import queries
from o2o.staff.errors import PadNotFound
from o2o.web.sessions import end_staff_sessions


async def revoke_pad(tx: Tx, *, pad_id: UUID, by: UUID, now: datetime) -> None:
    """Revoking twice changes nothing.

    Raises PadNotFound, also when `by` does not manage the pad's store.
    """
    pad = await queries.lock_pad(tx, pad_id)
    if not await queries.exists_role(
        tx, staff_id=by, store_id=pad.store_id, roles={StaffRoleName.MANAGER}
    ):
        raise PadNotFound
    if pad.revoked_at is not None:
        return
    await tx.execute(update(Pad).where(Pad.id == pad_id).values(revoked_at=now))
    await end_staff_sessions(tx, pad_id=pad_id, now=now)
    await note(
        tx,
        actor=Actor("staff", by),
        action="pad.revoked",
        at=now,
        subject=("pad", pad_id),
        store_id=pad.store_id,
    )

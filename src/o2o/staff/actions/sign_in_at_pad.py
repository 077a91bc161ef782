"""Open a clerk's session on a pad, after the PIN was found right."""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import Audience
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import StaffId
from o2o.staff import queries
from o2o.staff.errors import WrongStore
from o2o.staff.rules import PAD_ROLES
from o2o.web.sessions import open_session


class SignedIn(msgspec.Struct, frozen=True):
    """Who is in, and the session's reference for the cookie."""

    staff_id: StaffId
    name: str
    session_token: str


async def sign_in_at_pad(
    tx: Tx, *, seal: Seal, staff_id: UUID, pad_id: UUID, now: datetime
) -> SignedIn:
    """Raises PadNotFound for a revoked pad, WrongStore when no role works in the pad's store."""
    pad = await queries.get_pad_in_use(tx, pad_id)
    staff = await queries.get_staff(tx, staff_id)
    if not await queries.exists_role(tx, staff_id=staff_id, store_id=pad.store_id, roles=PAD_ROLES):
        raise WrongStore
    token = await open_session(
        tx, seal=seal, audience=Audience.PAD, staff_id=staff_id, pad_id=pad_id, now=now
    )
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action="staff.signed_in",
        at=now,
        subject=("pad", pad_id),
        store_id=pad.store_id,
    )
    return SignedIn(StaffId(staff_id), staff.name, token)

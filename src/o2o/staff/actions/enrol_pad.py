"""Turn a browser into a pad of a store: the one-time code is spent, a secret for a cookie made."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.staff import Pad
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal, new_token
from o2o.kernel.ids import PadId, StoreId, new_id
from o2o.staff.actions.create_pad_enrolment import enrolment_hash

# One statement decides who has the code: of any number at once, one gets the row.
_SPEND = text(
    "UPDATE pad_enrolments SET used_at = :now"
    " WHERE code_hash = :code_hash AND used_at IS NULL AND expires_at > :now AND created_at <= :now"
    " RETURNING store_id, created_by"
)


class EnrolledPad(msgspec.Struct, frozen=True):
    """A new pad; `secret` goes into its cookie and is told here only."""

    pad_id: PadId
    store_id: StoreId
    secret: str


async def enrol_pad(
    tx: Tx, *, seal: Seal, code: str, name: str, now: datetime
) -> EnrolledPad | None:
    """Return the new pad, or None when the code is unknown, used or too old.

    None, not an error, so that the wrong guess can be counted: see `front_door.enrol_pad`.
    """
    row = (await tx.execute(_SPEND, {"code_hash": enrolment_hash(seal, code), "now": now})).first()
    if row is None:
        return None
    return await add_pad(
        tx, seal=seal, store_id=row.store_id, name=name, enrolled_by=row.created_by, now=now
    )


async def add_pad(
    tx: Tx, *, seal: Seal, store_id: UUID, name: str, enrolled_by: UUID | None, now: datetime
) -> EnrolledPad:
    """Add a pad without a one-time code, for the demo's own browsers."""
    secret = new_token()
    pad = Pad(
        id=new_id(),
        store_id=store_id,
        name=name,
        secret_hash=seal.hash_of(secret, use="pad"),
        enrolled_by=enrolled_by,
        enrolled_at=now,
    )
    tx.add(pad)
    await tx.flush()
    await note(
        tx,
        actor=Actor("staff", enrolled_by) if enrolled_by else Actor("system"),
        action="pad.enrolled",
        at=now,
        subject=("pad", pad.id),
        store_id=store_id,
    )
    return EnrolledPad(PadId(pad.id), StoreId(store_id), secret)

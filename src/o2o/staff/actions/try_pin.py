"""One try of a PIN: counted before it is checked, so that no number at once gets a sixth try."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.staff.rules import PIN_FAILURES_MAX

_BEGIN = text(
    "UPDATE staff_members SET pin_failures = pin_failures + 1"
    " WHERE login = :login AND disabled_at IS NULL AND pin_hash IS NOT NULL"
    " AND pin_locked_at IS NULL AND pin_failures < :most"
    " RETURNING id, pin_hash"
)
_IS_LOCKED = text(
    "SELECT true FROM staff_members WHERE login = :login AND disabled_at IS NULL"
    " AND pin_hash IS NOT NULL AND pin_failures >= :most"
)
_FAILED = text(
    "UPDATE staff_members SET pin_locked_at = :now"
    " WHERE id = :id AND pin_failures >= :most AND pin_locked_at IS NULL RETURNING id"
)
_SUCCEEDED = text("UPDATE staff_members SET pin_failures = 0, pin_locked_at = NULL WHERE id = :id")


class PINTry(msgspec.Struct, frozen=True, kw_only=True):
    """A try that was counted: whose it is, or nobody's, or one too many."""

    staff_id: UUID | None = None
    pin_hash: str | None = None
    is_locked: bool = False


async def begin_pin_try(tx: Tx, *, login: str) -> PINTry:
    """Count a try for a folded login and return the hash to check it against."""
    row = (await tx.execute(_BEGIN, {"login": login, "most": PIN_FAILURES_MAX})).first()
    if row is not None:
        return PINTry(staff_id=row.id, pin_hash=row.pin_hash)
    locked = await tx.scalar(_IS_LOCKED, {"login": login, "most": PIN_FAILURES_MAX})
    return PINTry(is_locked=bool(locked))


async def note_wrong_pin(
    tx: Tx, *, staff_id: UUID | None, pad_id: UUID, store_id: UUID, now: datetime
) -> bool:
    """Note a wrong PIN; return whether it was the one that locked the person."""
    locked = None
    if staff_id is not None:
        locked = (
            await tx.execute(_FAILED, {"id": staff_id, "now": now, "most": PIN_FAILURES_MAX})
        ).first()
    await note(
        tx,
        actor=Actor("pad", pad_id),
        action="staff.pin_locked" if locked else "staff.sign_in_refused",
        at=now,
        subject=("staff", staff_id) if staff_id else None,
        store_id=store_id,
    )
    return locked is not None


async def note_right_pin(tx: Tx, *, staff_id: UUID) -> None:
    """Give the person all five tries back."""
    await tx.execute(_SUCCEEDED, {"id": staff_id})

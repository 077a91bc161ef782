"""Sweep member codes: what expired stays dead even if the clock is set back; old rows go."""

from datetime import datetime

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.rules.limits import CODES_KEPT

# The epoch is before every clock.
_KILL = text(
    "UPDATE member_codes SET expires_at = 'epoch'"
    " WHERE used_at IS NULL AND expires_at > 'epoch' AND expires_at < :now"
)
_DELETE = text("DELETE FROM member_codes WHERE issued_at < :before")


async def kill_expired_codes(tx: Tx, now: datetime) -> None:
    """Make expired codes expired for ever."""
    await tx.execute(_KILL, {"now": now})


async def delete_old_codes(tx: Tx, now: datetime) -> None:
    """Delete codes after a day; scanned then, they are unknown instead of expired."""
    await tx.execute(_DELETE, {"before": now - CODES_KEPT})

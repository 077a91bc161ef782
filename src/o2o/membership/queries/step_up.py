"""How sure it is right now that the member sits before the page."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class Sureness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there is a pay PIN to ask for, and when WeChat last named the browser."""

    has_pin: bool
    signed_in_at: datetime


_SURE = text(
    "SELECT s.created_at, m.pay_pin_hash IS NOT NULL AS has_pin FROM web_sessions s"
    " JOIN fans f ON f.id = s.fan_id JOIN members m ON m.id = f.member_id"
    " WHERE s.token_hash = :token_hash"
)


async def find_sureness(tx: Tx, session_hash: bytes) -> Sureness | None:
    """Return what is known of a member's session."""
    row = (await tx.execute(_SURE, {"token_hash": session_hash})).first()
    return Sureness(has_pin=row.has_pin, signed_in_at=row.created_at) if row else None


async def has_pay_pin(tx: Tx, member_id: UUID) -> bool:
    """Whether a member chose a pay PIN."""
    return bool(
        await tx.scalar(
            text("SELECT pay_pin_hash IS NOT NULL FROM members WHERE id = :id"), {"id": member_id}
        )
    )

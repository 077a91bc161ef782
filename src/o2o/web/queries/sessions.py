"""Finding a live session by what the cookie says."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select

from o2o.crm.staff import WebSession
from o2o.crm.statuses import Audience
from o2o.infra.database import Tx

# Seven days for a diner, two minutes at a pad (it locks itself), half an hour at the console.
IDLE = {
    Audience.DINER: timedelta(days=7),
    Audience.PAD: timedelta(minutes=2),
    Audience.CONSOLE: timedelta(minutes=30),
}


class FoundSession(msgspec.Struct, frozen=True):
    """A live session."""

    token_hash: bytes
    audience: Audience
    fan_id: UUID | None
    staff_id: UUID | None
    pad_id: UUID | None
    is_snapshot: bool
    last_seen_at: datetime


async def find_session(
    tx: Tx, token_hash: bytes, *, audience: Audience, now: datetime
) -> FoundSession | None:
    """Return the session of that reference if it lives and is for that audience."""
    row = (
        await tx.execute(
            select(
                WebSession.token_hash,
                WebSession.audience,
                WebSession.fan_id,
                WebSession.staff_id,
                WebSession.pad_id,
                WebSession.is_snapshot,
                WebSession.last_seen_at,
            ).where(
                WebSession.token_hash == token_hash,
                WebSession.audience == audience,
                WebSession.ended_at.is_(None),
                WebSession.expires_at > now,
                WebSession.last_seen_at > now - IDLE[audience],
            )
        )
    ).first()
    return FoundSession(*row) if row else None

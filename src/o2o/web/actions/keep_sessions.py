"""Opening, touching and ending sessions."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text, update

from o2o.crm.staff import WebSession
from o2o.crm.statuses import Audience
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.infra.seal import Seal, new_token
from o2o.web.cookies import LIFETIMES

_TOUCH = text(
    "UPDATE web_sessions SET last_seen_at = :now WHERE token_hash IN (SELECT token_hash"
    " FROM web_sessions WHERE token_hash = ANY(CAST(:token_hashes AS bytea[]))"
    " FOR UPDATE SKIP LOCKED)"
)
# A session's last sight is written at most this often, so that reading pages writes little.
TOUCH_EVERY = timedelta(seconds=20)


async def open_session(
    tx: Tx,
    *,
    seal: Seal,
    audience: Audience,
    now: datetime,
    fan_id: UUID | None = None,
    staff_id: UUID | None = None,
    pad_id: UUID | None = None,
    is_snapshot: bool = False,
) -> str:
    """Open a session and return its reference, for the cookie; only the hash is kept."""
    token = new_token()
    tx.add(
        WebSession(
            token_hash=seal.hash_of(token, use="session"),
            audience=audience,
            fan_id=fan_id,
            staff_id=staff_id,
            pad_id=pad_id,
            is_snapshot=is_snapshot,
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(seconds=LIFETIMES[audience]),
        )
    )
    await tx.flush()
    return token


async def touch_sessions(tx: Tx, token_hashes: Collection[bytes], *, now: datetime) -> None:
    """Note that sessions are in use. Waits for nobody: who holds one now touches or ends it."""
    await fetch_rows(tx, _TOUCH, {"token_hashes": set(token_hashes), "now": now})


async def end_session(tx: Tx, token_hash: bytes, *, now: datetime) -> None:
    """End a session; ending it again changes nothing."""
    await tx.execute(
        update(WebSession)
        .where(WebSession.token_hash == token_hash, WebSession.ended_at.is_(None))
        .values(ended_at=now)
    )


async def end_staff_sessions(
    tx: Tx, *, now: datetime, staff_id: UUID | None = None, pad_id: UUID | None = None
) -> None:
    """End all sessions of a staff member, or all on a pad."""
    owner = WebSession.staff_id == staff_id if staff_id else WebSession.pad_id == pad_id
    await tx.execute(
        update(WebSession).where(owner, WebSession.ended_at.is_(None)).values(ended_at=now)
    )

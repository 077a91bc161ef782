"""A copy that was made is kept encrypted until its member fetches it, once and within a day."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import ExportStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.seal import Seal, new_token
from o2o.membership.errors_privacy import ExportGone, ExportNotFound
from o2o.membership.moves import EXPORT_MOVES

LASTS = timedelta(hours=24)

_KEEP = text(
    "UPDATE data_exports SET status = 'ready', content_sealed = :content, size_bytes = :size,"
    " ready_at = :now, expires_at = :expires_at"
    " WHERE id = :id AND status = ANY(CAST(:sources AS text[]))"
    " RETURNING member_id"
)
_LINK = text(
    "UPDATE data_exports SET token_hash = :token_hash WHERE member_id = :member_id"
    " AND status = 'ready' AND expires_at > :now RETURNING id"
)
_IS_LIVE = text(
    "SELECT true FROM data_exports WHERE token_hash = :token_hash AND expires_at > :now"
)
# Read and emptied in one statement: of two who ask at once, one waits and then finds nothing.
_FETCH = text(
    "WITH one AS (SELECT id, content_sealed FROM data_exports"
    " WHERE token_hash = :token_hash AND status = ANY(CAST(:sources AS text[]))"
    " AND expires_at > :now FOR UPDATE)"
    " UPDATE data_exports e SET status = 'fetched', content_sealed = NULL, token_hash = NULL,"
    " ended_at = :now FROM one WHERE e.id = one.id"
    " RETURNING e.id, e.member_id, one.content_sealed"
)
_EXPIRE = text(
    "UPDATE data_exports SET status = 'expired', content_sealed = NULL, token_hash = NULL,"
    " ended_at = :now WHERE status = ANY(CAST(:sources AS text[])) AND expires_at <= :now"
    " AND (CAST(:member_id AS uuid) IS NULL OR member_id = :member_id)"
)


async def keep_export(
    tx: Tx, *, export_id: UUID, content: bytes, seal: Seal, now: datetime
) -> UUID | None:
    """Keep what was made; return whose it is, None when nobody waits for it any more."""
    member_id: UUID | None = await tx.scalar(
        _KEEP,
        {
            "id": export_id,
            "sources": sorted(EXPORT_MOVES.sources_of(ExportStatus.READY)),
            "content": seal.seal_bytes(content, label=_label(export_id)),
            "size": len(content),
            "now": now,
            "expires_at": now + LASTS,
        },
    )
    return member_id


async def make_link(tx: Tx, *, member_id: UUID, seal: Seal, now: datetime) -> str:
    """Return the secret of a one-time link to the member's copy; an earlier link is dead.

    Whoever calls has made sure that it is the member who asks. Raises ExportNotFound.
    """
    token = new_token()
    found = await tx.scalar(
        _LINK,
        {"member_id": member_id, "token_hash": _token_hash(seal, token), "now": now},
    )
    if found is None:
        raise ExportNotFound
    return token


async def check_link(tx: Tx, *, token: str, seal: Seal, now: datetime) -> None:
    """Raises ExportGone unless the link still leads to a copy; the copy stays."""
    if not await tx.scalar(_IS_LIVE, {"token_hash": _token_hash(seal, token), "now": now}):
        raise ExportGone


async def fetch_export(tx: Tx, *, token: str, seal: Seal, now: datetime) -> bytes:
    """Return the copy behind a link and forget it. Raises ExportGone."""
    asked = {
        "token_hash": _token_hash(seal, token),
        "sources": sorted(EXPORT_MOVES.sources_of(ExportStatus.FETCHED)),
        "now": now,
    }
    row = (await tx.execute(_FETCH, asked)).first()
    if row is None:
        raise ExportGone
    await note(
        tx,
        actor=Actor("member", row.member_id),
        action="export.fetched",
        at=now,
        subject=("member", row.member_id),
    )
    return seal.unseal_bytes(bytes(row.content_sealed), label=_label(row.id))


async def expire_exports(tx: Tx, now: datetime, member_id: UUID | None = None) -> None:
    """Empty the copies whose day is over, of everybody or of one member."""
    sources = sorted(EXPORT_MOVES.sources_of(ExportStatus.EXPIRED))
    await tx.execute(_EXPIRE, {"now": now, "sources": sources, "member_id": member_id})


def _token_hash(seal: Seal, token: str) -> bytes:
    return seal.hash_of(token, use="export")


def _label(export_id: UUID) -> str:
    return f"data_export:{export_id}"

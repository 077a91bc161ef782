"""Renew a credential: one process holds the lease and asks WeChat, the others wait and read."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx

# Longer than a call to WeChat may take; a holder that died is replaced after this.
LEASE = timedelta(seconds=20)

_LEASE = text(
    "INSERT INTO access_tokens AS t (account_id, kind, renewing_until)"
    " VALUES (:account_id, :kind, :until)"
    " ON CONFLICT (account_id, kind) DO UPDATE SET renewing_until = excluded.renewing_until"
    " WHERE t.version = :version AND (t.renewing_until IS NULL OR t.renewing_until <= :now)"
    " RETURNING t.version"
)
_STORE = text(
    "UPDATE access_tokens SET value_sealed = :value_sealed, expires_at = :expires_at,"
    " version = version + 1, renewing_until = NULL"
    " WHERE account_id = :account_id AND kind = :kind AND version = :version"
    " RETURNING version"
)
_RELEASE = text(
    "UPDATE access_tokens SET renewing_until = NULL"
    " WHERE account_id = :account_id AND kind = :kind AND version = :version"
)


async def lease_renewal(
    tx: Tx, *, account_id: UUID, kind: str, version: int, now: datetime
) -> bool:
    """Take the right to renew exactly this version; False when another process has it."""
    row = await tx.execute(
        _LEASE,
        {
            "account_id": account_id,
            "kind": kind,
            "version": version,
            "now": now,
            "until": now + LEASE,
        },
    )
    return row.first() is not None


async def store_token(
    tx: Tx,
    *,
    account_id: UUID,
    kind: str,
    version: int,
    value_sealed: bytes,
    expires_at: datetime,
) -> int | None:
    """Write the new credential over the leased version; None when somebody did meanwhile."""
    stored: int | None = await tx.scalar(
        _STORE,
        {
            "account_id": account_id,
            "kind": kind,
            "version": version,
            "value_sealed": value_sealed,
            "expires_at": expires_at,
        },
    )
    return stored


async def release_renewal(tx: Tx, *, account_id: UUID, kind: str, version: int) -> None:
    """Give the right back after a failed renewal, so that the next one need not wait."""
    await tx.execute(_RELEASE, {"account_id": account_id, "kind": kind, "version": version})

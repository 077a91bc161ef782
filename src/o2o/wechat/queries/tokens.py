"""Reads of the credentials WeChat gave us, still sealed."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from o2o.crm.wechat import AccessToken
from o2o.infra.database import Tx


class StoredToken(msgspec.Struct, frozen=True):
    """A credential as stored; `version` counts its renewals."""

    value_sealed: bytes | None
    version: int
    expires_at: datetime | None
    renewing_until: datetime | None


async def find_token(tx: Tx, *, account_id: UUID, kind: str) -> StoredToken | None:
    """Return what is stored of a credential."""
    row = await tx.scalar(
        select(AccessToken).where(AccessToken.account_id == account_id, AccessToken.kind == kind)
    )
    if row is None:
        return None
    return StoredToken(row.value_sealed, row.version, row.expires_at, row.renewing_until)

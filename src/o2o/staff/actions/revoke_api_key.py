"""Revoke a key: the next request with it is refused."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from o2o.crm.staff import APIKey
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.staff.errors import APIKeyNotFound


async def revoke_api_key(
    tx: Tx, *, key_id: UUID, brand_id: UUID | None, actor: Actor, now: datetime
) -> None:
    """Revoking twice changes nothing. Raises APIKeyNotFound, also for another brand's key."""
    key = await tx.scalar(select(APIKey).where(APIKey.id == key_id))
    if key is None or key.brand_id != brand_id:
        raise APIKeyNotFound
    revoked = await tx.execute(
        update(APIKey)
        .where(APIKey.id == key_id, APIKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(APIKey.id)
    )
    if revoked.first() is not None:
        await note(tx, actor=actor, action="api_key.revoked", at=now, subject=("api_key", key_id))

"""What a member agreed to."""

from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx

_WANTS_MARKETING = text(
    "SELECT EXISTS (SELECT 1 FROM consents WHERE member_id = :member_id"
    " AND purpose = 'marketing' AND withdrawn_at IS NULL)"
)


async def has_marketing_consent(tx: Tx, member_id: UUID) -> bool:
    """Whether the member wants offers by message."""
    return bool(await tx.scalar(_WANTS_MARKETING, {"member_id": member_id}))

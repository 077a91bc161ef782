"""The member's answer to offers by message: a yes or a no of its own, changed at any time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id

_GIVE = text(
    "INSERT INTO consents (id, member_id, purpose, terms_version, given_at)"
    " SELECT :id, :member_id, 'marketing', :terms_version, :now"
    " WHERE NOT EXISTS (SELECT 1 FROM consents WHERE member_id = :member_id"
    " AND purpose = 'marketing' AND withdrawn_at IS NULL)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_WITHDRAW = text(
    "UPDATE consents SET withdrawn_at = :now WHERE member_id = :member_id"
    " AND purpose = 'marketing' AND withdrawn_at IS NULL RETURNING id"
)


async def answer_marketing(
    tx: Tx, *, member_id: UUID, is_wanted: bool, terms_version: str, now: datetime
) -> None:
    """Keep a yes with the terms it refers to, or withdraw it. The same answer changes nothing."""
    asked = {
        "id": new_id(),
        "member_id": member_id,
        "terms_version": terms_version,
        "now": now,
    }
    if (await tx.execute(_GIVE if is_wanted else _WITHDRAW, asked)).first() is None:
        return
    await note(
        tx,
        actor=Actor("member", member_id),
        action="consent.given" if is_wanted else "consent.withdrawn",
        at=now,
        subject=("member", member_id),
        purpose="marketing",
        terms_version=terms_version,
    )

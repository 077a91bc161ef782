"""Enter a real name: with a verified phone it makes a member "named"."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.membership.errors_identity import NameFixed
from o2o.membership.rules.names import parse_real_name

_SET = text(
    "UPDATE members SET name = :name WHERE id = :id AND status = 'active'"
    " AND (name IS NULL OR phone_verified_at IS NULL) RETURNING id"
)
_SAME = text("SELECT true FROM members WHERE id = :id AND name = :name")


async def enter_real_name(tx: Tx, *, member_id: UUID, name: str, now: datetime) -> None:
    """Keep the name that a member entered.

    Raises NameInvalid; NameFixed for a member who is named already, unless it is the same name.
    """
    asked = {"id": member_id, "name": parse_real_name(name)}
    if (await tx.execute(_SET, asked)).first() is None:
        if await tx.scalar(_SAME, asked):
            return
        raise NameFixed
    await note(
        tx,
        actor=Actor("member", member_id),
        action="member.name_entered",
        at=now,
        subject=("member", member_id),
    )

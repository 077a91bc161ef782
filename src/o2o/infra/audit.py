"""The audit trail: written in the transaction of what it tells, never changed after."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert

from o2o.crm.platform import AuditEntry
from o2o.infra.database import Tx
from o2o.infra.logging import scrub
from o2o.infra.trace import current_trace_id


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a staff member, an API key, a member, or the system itself."""

    kind: str
    id: UUID | None = None


SYSTEM = Actor("system")


async def note(
    tx: Tx,
    *,
    actor: Actor,
    action: str,
    at: datetime,
    subject: tuple[str, UUID | str] | None = None,
    store_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Write one entry: `action` as `noun.verb_past`, `subject` as (kind, id)."""
    await tx.execute(
        insert(AuditEntry).values(
            at=at,
            actor_kind=actor.kind,
            actor_id=str(actor.id) if actor.id else None,
            action=action,
            object_kind=subject[0] if subject else None,
            object_id=str(subject[1]) if subject else None,
            store_id=store_id,
            detail=scrub(msgspec.to_builtins(detail)),
            trace_id=current_trace_id(),
        )
    )

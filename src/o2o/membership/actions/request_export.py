"""A member asks for a copy of everything known about them; it is made in the background."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import Errand, send
from o2o.kernel.ids import new_id
from o2o.membership.actions.keep_export import expire_exports

BUILD = "membership.build_export"

_ASK = text(
    "INSERT INTO data_exports (id, member_id, account_id, language, status, requested_at)"
    " VALUES (:id, :member_id, :account_id, :language, 'requested', :now)"
    " ON CONFLICT (member_id) WHERE status IN ('requested', 'ready') DO NOTHING RETURNING id"
)


async def request_export(
    tx: Tx, *, member_id: UUID, account_id: UUID, language: str, now: datetime
) -> bool:
    """Have a copy made; False while another one is being made or waits to be fetched.

    Whoever calls has made sure that it is the member who asks.
    """
    asked = {
        "id": new_id(),
        "member_id": member_id,
        "account_id": account_id,
        "language": language,
        "now": now,
    }
    await expire_exports(tx, now, member_id)
    export_id = await tx.scalar(_ASK, asked)
    if export_id is None:
        return False
    await send(
        tx,
        [Errand(topic=BUILD, payload={"export_id": str(export_id)}, dedupe_key=f"{export_id}")],
        now=now,
    )
    await note(
        tx,
        actor=Actor("member", member_id),
        action="export.requested",
        at=now,
        subject=("member", member_id),
    )
    return True

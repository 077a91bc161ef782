"""The member's answer to a scan in an unlikely place: yes lets the visit go on, no ends it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import publish, send
from o2o.kernel.ids import MemberId, StoreId, VisitId
from o2o.membership.errors import VisitExpired
from o2o.membership.events import VisitOpened

_CONFIRM = text(
    "UPDATE counter_visits SET confirmed_at = :now WHERE id = :visit_id AND member_id = :member_id"
    " AND held_at IS NOT NULL AND confirmed_at IS NULL AND closed_at IS NULL AND expires_at > :now"
    " RETURNING store_id, pad_id"
)
_REFUSE = text(
    "UPDATE counter_visits SET closed_at = :now WHERE id = :visit_id AND member_id = :member_id"
    " AND held_at IS NOT NULL AND confirmed_at IS NULL AND closed_at IS NULL"
    " RETURNING store_id, pad_id"
)
_IS_CONFIRMED = text(
    "SELECT true FROM counter_visits WHERE id = :visit_id AND member_id = :member_id"
    " AND confirmed_at IS NOT NULL"
)


async def confirm_travel(tx: Tx, *, visit_id: UUID, member_id: UUID, now: datetime) -> None:
    """Let a held visit go on; its five minutes still count from the scan. Twice changes nothing.

    Raises VisitExpired, also for a visit that is not this member's. Publishes visit.opened and
    tells the pad.
    """
    asked = {"visit_id": visit_id, "member_id": member_id, "now": now}
    row = (await tx.execute(_CONFIRM, asked)).first()
    if row is None:
        if await tx.scalar(_IS_CONFIRMED, asked):
            return
        raise VisitExpired
    await publish(
        tx,
        VisitOpened(
            visit_id=VisitId(visit_id),
            member_id=MemberId(member_id),
            store_id=StoreId(row.store_id),
            at=now,
        ),
        now=now,
    )
    await _tell_pad(tx, row.pad_id, event="visit_confirmed", visit_id=visit_id, now=now)
    await note(
        tx,
        actor=Actor("member", member_id),
        action="visit.confirmed",
        at=now,
        subject=("visit", visit_id),
        store_id=row.store_id,
    )


async def refuse_travel(tx: Tx, *, visit_id: UUID, member_id: UUID, now: datetime) -> None:
    """End a held visit that was not the member's own doing. Twice changes nothing."""
    asked = {"visit_id": visit_id, "member_id": member_id, "now": now}
    row = (await tx.execute(_REFUSE, asked)).first()
    if row is None:
        return
    await _tell_pad(tx, row.pad_id, event="visit_refused", visit_id=visit_id, now=now)
    await note(
        tx,
        actor=Actor("member", member_id),
        action="visit.refused",
        at=now,
        subject=("visit", visit_id),
        store_id=row.store_id,
    )


async def _tell_pad(
    tx: Tx, pad_id: UUID | None, *, event: str, visit_id: UUID, now: datetime
) -> None:
    if pad_id is not None:
        await send(tx, [live_push(f"pad:{pad_id}", event, {"visit_id": str(visit_id)})], now=now)

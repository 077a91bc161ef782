"""Counter visits as pads and phones see them."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import VisitVia
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.ids import MemberId, StoreId, VisitId
from o2o.membership.errors import VisitExpired, VisitNotYours
from o2o.membership.rules.limits import VISIT_LASTS


class LiveVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit in which money may move now."""

    visit_id: VisitId
    member_id: MemberId
    store_id: StoreId
    opened_at: datetime
    expires_at: datetime
    via: VisitVia


class HeldVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that waits for the member's yes."""

    visit_id: VisitId
    store_name: str
    opened_at: datetime
    expires_at: datetime


_OF_PAD = text(
    "SELECT id, member_id, store_id, opened_at, expires_at, closed_at, pad_id, via,"
    " held_at IS NOT NULL AND confirmed_at IS NULL AS is_held FROM counter_visits"
    " WHERE pad_id = :pad_id AND (CAST(:visit_id AS uuid) IS NULL OR id = :visit_id)"
    " ORDER BY opened_at DESC, id DESC LIMIT 1"
)
_HELD = text(
    "SELECT v.id, s.name, v.opened_at, v.expires_at FROM counter_visits v"
    " JOIN stores s ON s.id = v.store_id"
    " WHERE v.member_id = :member_id AND v.opened_at > :since AND v.expires_at > :now"
    " AND v.closed_at IS NULL AND v.held_at IS NOT NULL AND v.confirmed_at IS NULL"
    " ORDER BY v.opened_at DESC LIMIT 5"
)


async def find_live_visit_of_pad(tx: Tx, *, pad_id: UUID, now: datetime) -> LiveVisit | None:
    """Return the visit that is open at a pad now, unless it waits for the member's yes."""
    row = (await tx.execute(_OF_PAD, {"pad_id": pad_id, "visit_id": None})).first()
    if row is None or row.closed_at is not None or row.expires_at <= now or row.is_held:
        return None
    return LiveVisit(
        visit_id=VisitId(row.id),
        member_id=MemberId(row.member_id),
        store_id=StoreId(row.store_id),
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        via=VisitVia(row.via),
    )


async def get_live_visit(tx: Tx, *, visit_id: UUID, pad_id: UUID, now: datetime) -> LiveVisit:
    """Return a pad's own visit. Raises VisitNotYours, VisitExpired."""
    row = (await tx.execute(_OF_PAD, {"pad_id": pad_id, "visit_id": visit_id})).first()
    if row is None:
        raise VisitNotYours
    if row.closed_at is not None or row.expires_at <= now or row.is_held:
        raise VisitExpired
    return LiveVisit(
        visit_id=VisitId(row.id),
        member_id=MemberId(row.member_id),
        store_id=StoreId(row.store_id),
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        via=VisitVia(row.via),
    )


async def list_held_visits(tx: Tx, *, member_id: UUID, now: datetime) -> list[HeldVisit]:
    """Return the visits that ask the member for a yes now."""
    since = now - VISIT_LASTS
    rows = await fetch_rows(tx, _HELD, {"member_id": member_id, "now": now, "since": since})
    return [
        HeldVisit(
            visit_id=VisitId(row.id),
            store_name=row.name,
            opened_at=row.opened_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]

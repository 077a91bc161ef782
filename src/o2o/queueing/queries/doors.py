"""What stands at a store's door: who the store is, which code is good, how near one has to be."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.geo import Point
from o2o.queueing.rules.taking import REACH_M_USUAL
from o2o.stores.errors import StoreNotFound

_DOOR = text(
    "SELECT s.id, s.name, s.address, s.district, s.timezone, s.latitude, s.longitude,"
    " b.name AS brand_name, b.name_en AS brand_name_en, b.hue, b.slug AS brand_slug, b.kind,"
    " a.slug AS account_slug, c.distance_m_max, coalesce(c.door_edition, 1) AS door_edition,"
    " coalesce(c.display_edition, 1) AS display_edition,"
    " coalesce(c.has_member_priority, false) AS has_member_priority"
    " FROM stores s JOIN brands b ON b.id = s.brand_id JOIN official_accounts a"
    " ON a.id = s.account_id LEFT JOIN queue_settings c ON c.store_id = s.id"
    " WHERE s.id = :store_id AND s.brand_id = :brand_id"
)
_EDITIONS = text(
    "SELECT door_edition, display_edition FROM queue_settings WHERE store_id = :store_id"
)
_REACHES = text(
    "SELECT s.id, coalesce(c.reach_m, :usual) AS reach_m,"
    " EXISTS (SELECT 1 FROM queues q WHERE q.store_id = s.id AND q.retired_at IS NULL) AS is_taking"
    " FROM stores s LEFT JOIN queue_settings c ON c.store_id = s.id"
    " WHERE s.id = ANY(CAST(:store_ids AS uuid[]))"
)


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """A store as somebody finds it who comes to its door."""

    store_id: UUID
    store_name: str
    address: str
    timezone: str
    at: Point
    brand_name: str
    brand_name_en: str
    brand_hue: str
    brand_slug: str
    brand_kind: str
    account_slug: str
    # How far away a number may be taken by page; None: from anywhere.
    distance_m_max: int | None
    edition: int
    # Which address of its display is good.
    display_edition: int
    has_member_priority: bool


class Editions(msgspec.Struct, frozen=True):
    """Which print of the door's code and which address of the display are good."""

    door: int
    display: int


async def find_editions(tx: Tx, store_id: UUID) -> Editions:
    """Return what is good at a store; one that never retired anything is at the first."""
    row = (await tx.execute(_EDITIONS, {"store_id": store_id})).first()
    return Editions(1, 1) if row is None else Editions(row.door_edition, row.display_edition)


class Reach(msgspec.Struct, frozen=True):
    """How near one has to be to count as there, in metres; whether the store has queues at all."""

    metres: int
    is_taking: bool


async def list_reaches(tx: Tx, store_ids: Sequence[UUID]) -> dict[UUID, Reach]:
    """Return for each store how near counts as there."""
    if not store_ids:
        return {}
    asked = {"store_ids": sorted(set(store_ids)), "usual": REACH_M_USUAL}
    return {row.id: Reach(row.reach_m, row.is_taking) for row in await tx.execute(_REACHES, asked)}


async def get_door(tx: Tx, store_id: UUID, *, brand_id: UUID) -> Door:
    """Return a store of the brand. Raises StoreNotFound."""
    row = (await tx.execute(_DOOR, {"store_id": store_id, "brand_id": brand_id})).first()
    if row is None:
        raise StoreNotFound(store_id=store_id)
    return Door(
        store_id=row.id,
        store_name=row.name,
        address=row.address,
        timezone=row.timezone,
        at=Point(row.latitude, row.longitude),
        brand_name=row.brand_name,
        brand_name_en=row.brand_name_en,
        brand_hue=row.hue,
        brand_slug=row.brand_slug,
        brand_kind=row.kind,
        account_slug=row.account_slug,
        distance_m_max=row.distance_m_max,
        edition=row.door_edition,
        display_edition=row.display_edition,
        has_member_priority=row.has_member_priority,
    )

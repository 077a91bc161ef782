"""Reads of brands, tiers, official accounts and stores."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.organisation import Brand, OfficialAccount, Store, Tier
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.geo import EARTH_RADIUS_M, Point
from o2o.stores.errors import BrandNotFound, StoreNotFound
from o2o.wechat.errors import AccountNotFound

LIST_MAX = 500
NEAREST_MAX = 50

# The haversine of `kernel.geo`, where the rows are: an account has few stores, each is looked at.
_NEAREST = text(
    "SELECT p.place, n.* FROM unnest(CAST(:account_ids AS uuid[]),"
    " CAST(:latitudes AS float8[]), CAST(:longitudes AS float8[]))"
    " WITH ORDINALITY AS p(account_id, latitude, longitude, place)"
    " CROSS JOIN LATERAL ("
    "  SELECT s.id, s.name, 2 * CAST(:radius_m AS float8) * asin(least(1.0, sqrt("
    "   sin(radians(s.latitude - p.latitude) / 2) ^ 2"
    "   + cos(radians(p.latitude)) * cos(radians(s.latitude))"
    "   * sin(radians(s.longitude - p.longitude) / 2) ^ 2))) AS distance_m"
    "  FROM stores s WHERE s.account_id = p.account_id"
    "  ORDER BY distance_m, s.id LIMIT :most) n"
    " ORDER BY p.place, n.distance_m, n.id"
)
_TIER_NAMES = text("SELECT name FROM tiers WHERE brand_id = :brand_id ORDER BY rank")


class NearStore(msgspec.Struct, frozen=True):
    """A store and how far it is from where somebody stands, in metres as the crow flies."""

    store_id: UUID
    name: str
    distance_m: float


async def find_brand(tx: Tx, slug: str) -> Brand | None:
    """Return the brand of that slug."""
    brand: Brand | None = await tx.scalar(select(Brand).where(Brand.slug == slug))
    return brand


async def get_brand(tx: Tx, brand_id: UUID) -> Brand:
    """Return a brand. Raises BrandNotFound."""
    brand: Brand | None = await tx.scalar(select(Brand).where(Brand.id == brand_id))
    if brand is None:
        raise BrandNotFound
    return brand


async def list_brands(tx: Tx) -> Sequence[Brand]:
    """Return the group's brands, oldest first."""
    return (await tx.scalars(select(Brand).order_by(Brand.created_at, Brand.slug))).all()


async def list_tiers(tx: Tx, brand_id: UUID) -> Sequence[Tier]:
    """Return a brand's tiers, the lowest first."""
    return (
        await tx.scalars(select(Tier).where(Tier.brand_id == brand_id).order_by(Tier.rank))
    ).all()


async def list_tier_names(tx: Tx, brand_id: UUID) -> list[str]:
    """Return what a brand's tiers are called, the lowest first."""
    return [row.name for row in await fetch_rows(tx, _TIER_NAMES, {"brand_id": brand_id})]


async def find_account(tx: Tx, slug: str) -> OfficialAccount | None:
    """Return the official account of that slug, credentials sealed."""
    account: OfficialAccount | None = await tx.scalar(
        select(OfficialAccount).where(OfficialAccount.slug == slug)
    )
    return account


async def get_account(tx: Tx, slug: str) -> OfficialAccount:
    """Return the official account of that slug. Raises AccountNotFound."""
    account = await find_account(tx, slug)
    if account is None:
        raise AccountNotFound(account=slug)
    return account


async def list_accounts(tx: Tx, *, brand_id: UUID | None = None) -> Sequence[OfficialAccount]:
    """Return the official accounts of a brand, or of the whole group."""
    accounts = select(OfficialAccount).order_by(OfficialAccount.slug)
    if brand_id is not None:
        accounts = accounts.where(OfficialAccount.brand_id == brand_id)
    return (await tx.scalars(accounts)).all()


async def find_store(tx: Tx, store_id: UUID) -> Store | None:
    """Return a store."""
    store: Store | None = await tx.scalar(select(Store).where(Store.id == store_id))
    return store


async def get_store(tx: Tx, store_id: UUID, *, brand_id: UUID | None = None) -> Store:
    """Return a store, of that brand if one is named. Raises StoreNotFound."""
    store = await find_store(tx, store_id)
    if store is None or (brand_id is not None and store.brand_id != brand_id):
        raise StoreNotFound(store_id=store_id)
    return store


async def find_store_by_code(tx: Tx, *, brand_id: UUID, code: str) -> Store | None:
    """Return the brand's store of that code."""
    store: Store | None = await tx.scalar(
        select(Store).where(Store.brand_id == brand_id, Store.code == code)
    )
    return store


async def list_stores(
    tx: Tx,
    *,
    brand_id: UUID | None = None,
    account_id: UUID | None = None,
    store_ids: Sequence[UUID] | None = None,
) -> Sequence[Store]:
    """Return stores by city and name, at most 500: of a brand, an account, or these ids."""
    stores = select(Store).order_by(Store.city, Store.name, Store.id).limit(LIST_MAX)
    if brand_id is not None:
        stores = stores.where(Store.brand_id == brand_id)
    if account_id is not None:
        stores = stores.where(Store.account_id == account_id)
    if store_ids is not None:
        stores = stores.where(Store.id.in_(store_ids))
    return (await tx.scalars(stores)).all()


async def list_store_names(tx: Tx, store_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of these stores; unknown ids are left out."""
    rows = await tx.execute(select(Store.id, Store.name).where(Store.id.in_(set(store_ids))))
    return {row.id: row.name for row in rows}


async def find_brand_hue(tx: Tx, brand_slug: str) -> str | None:
    """Return the colour of a brand as `#rrggbb`, or None."""
    hue: str | None = await tx.scalar(select(Brand.hue).where(Brand.slug == brand_slug))
    return hue


async def list_nearest_stores(
    tx: Tx, places: Sequence[tuple[UUID, Point]], *, most: int
) -> list[list[NearStore]]:
    """Return the stores of an account that are nearest to a point, per place, nearest first.

    A place is an account and a point in GCJ-02; `most` is at most 50. One statement for any number
    of places.
    """
    assert 1 <= most <= NEAREST_MAX
    found: list[list[NearStore]] = [[] for _ in places]
    if not places:
        return found
    rows = await tx.execute(
        _NEAREST,
        {
            "account_ids": [account_id for account_id, _ in places],
            "latitudes": [point.latitude for _, point in places],
            "longitudes": [point.longitude for _, point in places],
            "radius_m": EARTH_RADIUS_M,
            "most": most,
        },
    )
    for place, store_id, name, distance_m in rows:
        found[place - 1].append(NearStore(store_id, name, distance_m))
    return found

"""A brand's programme: its rules of stored value and points, and the packages on offer."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, or_, select

from o2o.crm.programmes import Programme, TopUpPackage
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, StoreId
from o2o.ledger.actions.debit_stored_value import DrawOrder

PACKAGES_MAX = 50


class ProgrammeRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force. Amounts in fen."""

    draw_order: DrawOrder
    points_per_yuan: int
    # None: points live for ever.
    points_valid_months: int | None
    # For opening the card, and for the first charge of a business day.
    joining_points: int
    visit_points: int
    no_pin_fen_max: int
    no_pin_daily_fen_max: int
    ended_at: datetime | None
    # Counts the changes of rules, tiers and packages.
    version: int


class PackageOffer(msgspec.Struct, frozen=True, kw_only=True):
    """Pay `principal_fen`, get `bonus_fen` and `bonus_points` on top."""

    id: UUID
    name: str
    principal_fen: int
    bonus_fen: int
    bonus_points: int


async def get_programme(tx: Tx, brand_id: BrandId) -> ProgrammeRules:
    """Return the rules of a brand; every brand has them."""
    row = (await tx.execute(select(Programme).where(Programme.brand_id == brand_id))).scalar_one()
    return ProgrammeRules(
        draw_order=DrawOrder(row.draw_order),
        points_per_yuan=row.points_per_yuan,
        points_valid_months=row.points_valid_months,
        joining_points=row.joining_points,
        visit_points=row.visit_points,
        no_pin_fen_max=row.no_pin_fen_max,
        no_pin_daily_fen_max=row.no_pin_daily_fen_max,
        ended_at=row.ended_at,
        version=row.version,
    )


async def list_ended_brands(tx: Tx, brand_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these brands' programmes are over."""
    if not brand_ids:
        return set()
    ended = select(Programme.brand_id).where(
        Programme.brand_id.in_(brand_ids), Programme.ended_at.is_not(None)
    )
    return set((await tx.scalars(ended)).all())


async def list_packages(
    tx: Tx, brand_id: BrandId, *, store_id: StoreId, now: datetime
) -> list[PackageOffer]:
    """Return what may be sold in a store now, in the marketer's order."""
    rows = await tx.scalars(
        select(TopUpPackage)
        .where(TopUpPackage.brand_id == brand_id, *_on_offer(store_id=store_id, now=now))
        .order_by(TopUpPackage.position, TopUpPackage.principal_fen, TopUpPackage.id)
        .limit(PACKAGES_MAX)
    )
    return [_offer(row) for row in rows]


async def find_package(
    tx: Tx, package_id: UUID, *, brand_id: BrandId, store_id: StoreId, now: datetime
) -> PackageOffer | None:
    """Return a package if it may be sold in a store now."""
    row = await tx.scalar(
        select(TopUpPackage).where(
            TopUpPackage.id == package_id,
            TopUpPackage.brand_id == brand_id,
            *_on_offer(store_id=store_id, now=now),
        )
    )
    return _offer(row) if row is not None else None


async def list_brand_packages(
    tx: Tx, brand_id: BrandId, *, is_withdrawn: bool
) -> Sequence[TopUpPackage]:
    """Return a brand's packages for its console, offered ones in order or the last withdrawn."""
    packages = select(TopUpPackage).where(TopUpPackage.brand_id == brand_id).limit(PACKAGES_MAX)
    if is_withdrawn:
        chosen = packages.where(TopUpPackage.withdrawn_at.is_not(None)).order_by(
            TopUpPackage.withdrawn_at.desc(), TopUpPackage.id
        )
    else:
        chosen = packages.where(TopUpPackage.withdrawn_at.is_(None)).order_by(
            TopUpPackage.position, TopUpPackage.principal_fen, TopUpPackage.id
        )
    return (await tx.scalars(chosen)).all()


async def find_brand_package(tx: Tx, package_id: UUID, *, brand_id: BrandId) -> TopUpPackage | None:
    """Return a package of the brand that was not withdrawn, on offer now or not."""
    found: TopUpPackage | None = await tx.scalar(
        select(TopUpPackage).where(
            TopUpPackage.id == package_id,
            TopUpPackage.brand_id == brand_id,
            TopUpPackage.withdrawn_at.is_(None),
        )
    )
    return found


def _on_offer(*, store_id: StoreId, now: datetime) -> list[ColumnElement[bool]]:
    return [
        TopUpPackage.withdrawn_at.is_(None),
        or_(TopUpPackage.store_id.is_(None), TopUpPackage.store_id == store_id),
        or_(TopUpPackage.starts_at.is_(None), TopUpPackage.starts_at <= now),
        or_(TopUpPackage.ends_at.is_(None), TopUpPackage.ends_at > now),
    ]


def _offer(row: TopUpPackage) -> PackageOffer:
    return PackageOffer(
        id=row.id,
        name=row.name,
        principal_fen=row.principal_fen,
        bonus_fen=row.bonus_fen,
        bonus_points=row.bonus_points,
    )

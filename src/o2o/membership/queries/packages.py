"""Top-up packages by id, for the counter: what each costs and gives, and whether it is on offer."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class PackageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A package as the till sees it. Amounts in fen."""

    id: UUID
    brand_id: UUID
    store_id: UUID | None
    principal_fen: int
    bonus_fen: int
    bonus_points: int
    starts_at: datetime | None
    ends_at: datetime | None
    withdrawn_at: datetime | None

    def is_offered(self, *, brand_id: UUID, store_id: UUID, now: datetime) -> bool:
        """Whether it may be sold there and then."""
        return (
            self.brand_id == brand_id
            and self.store_id in {None, store_id}
            and self.withdrawn_at is None
            and (self.starts_at is None or self.starts_at <= now)
            and (self.ends_at is None or now < self.ends_at)
        )


_PACKAGES = text(
    "SELECT id, brand_id, store_id, principal_fen, bonus_fen, bonus_points, starts_at, ends_at,"
    " withdrawn_at FROM top_up_packages WHERE id = ANY(CAST(:ids AS uuid[]))"
)


async def list_package_facts(tx: Tx, package_ids: set[UUID]) -> dict[UUID, PackageFacts]:
    """Return these packages, on offer or not; unknown ids are left out."""
    if not package_ids:
        return {}
    rows = await tx.execute(_PACKAGES, {"ids": sorted(package_ids)})
    return {
        row.id: PackageFacts(
            id=row.id,
            brand_id=row.brand_id,
            store_id=row.store_id,
            principal_fen=row.principal_fen,
            bonus_fen=row.bonus_fen,
            bonus_points=row.bonus_points,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            withdrawn_at=row.withdrawn_at,
        )
        for row in rows
    }

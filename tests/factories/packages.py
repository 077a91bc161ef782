"""Top-up packages on offer, for tests."""

from datetime import datetime
from uuid import UUID

from o2o.crm.programmes import TopUpPackage
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from tests.fakes.clock import NOON


async def given_package(
    tx: Tx,
    brand_id: UUID,
    *,
    principal_fen: int = 20_000,
    bonus_fen: int = 2_000,
    bonus_points: int = 0,
    store_id: UUID | None = None,
    name: str = "充200送20",
    withdrawn_at: datetime | None = None,
) -> UUID:
    """A package of the brand, on offer in all its stores unless one is named."""
    package = TopUpPackage(
        id=new_id(),
        brand_id=brand_id,
        name=name,
        principal_fen=principal_fen,
        bonus_fen=bonus_fen,
        bonus_points=bonus_points,
        store_id=store_id,
        withdrawn_at=withdrawn_at,
        created_at=NOON,
    )
    tx.add(package)
    await tx.flush()
    return package.id

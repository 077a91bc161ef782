"""Enter the top-up packages that a brand begins with: by whoever sets the deployment up."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import insert

from o2o.crm.programmes import TopUpPackage
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, new_id


class NewPackage(msgspec.Struct, frozen=True, kw_only=True):
    """Pay `principal_fen`, get `bonus_fen` and `bonus_points` on top, in every store."""

    name: str
    principal_fen: int
    bonus_fen: int
    bonus_points: int = 0


async def enter_packages(
    tx: Tx, packages: Sequence[NewPackage], *, brand_id: BrandId, now: datetime
) -> None:
    """Offer packages in this order; the marketer changes them in the console from then on."""
    if not packages:
        return
    await tx.execute(
        insert(TopUpPackage).values(
            [
                {
                    "id": new_id(),
                    "brand_id": brand_id,
                    "name": package.name,
                    "principal_fen": package.principal_fen,
                    "bonus_fen": package.bonus_fen,
                    "bonus_points": package.bonus_points,
                    "position": position,
                    "created_at": now,
                }
                for position, package in enumerate(packages)
            ]
        )
    )

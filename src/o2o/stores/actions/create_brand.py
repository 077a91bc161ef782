"""Create a brand with its tiers; creating it again changes nothing and returns the first."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.organisation import Brand, Tier
from o2o.crm.programmes import Programme
from o2o.crm.statuses import BrandKind
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, new_id


class NewTier(msgspec.Struct, frozen=True, kw_only=True):
    """A level of the programme: reached by spending so many fen over twelve months, or by visits.

    What it gives in ten thousandths and points; see the table.
    """

    code: str
    name: str
    spend_from_fen: int | None
    visits_from: int | None = None
    price_fen: int | None = None
    discount_bp: int = 0
    points_multiplier_bp: int = 10_000
    birthday_points: int = 0


class NewRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules a programme begins with; the marketer changes them in the console."""

    points_per_yuan: int = 1
    points_valid_months: int | None = 12
    joining_points: int = 0
    visit_points: int = 0


async def create_brand(
    tx: Tx,
    *,
    slug: str,
    name: str,
    name_en: str,
    kind: BrandKind,
    hue: str,
    terms_version: str,
    card_prefix: str,
    tiers: Sequence[NewTier],
    rules: NewRules | None = None,
    now: datetime,
) -> BrandId:
    """Return the brand of that slug, created if need be. `tiers` come lowest first.

    `card_prefix` is up to nine digits that every card number of the brand begins with.
    """
    assert tiers, "a brand needs a tier for its first member"
    await tx.execute(
        insert(Brand)
        .values(
            id=new_id(),
            slug=slug,
            name=name,
            name_en=name_en,
            kind=kind,
            hue=hue,
            terms_version=terms_version,
            card_prefix=card_prefix,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Brand.slug])
    )
    brand_id = BrandId((await tx.execute(select(Brand.id).where(Brand.slug == slug))).scalar_one())
    rows = [
        {
            "id": new_id(),
            "brand_id": brand_id,
            "rank": rank,
            **msgspec.structs.asdict(tier),
        }
        for rank, tier in enumerate(tiers)
    ]
    await tx.execute(insert(Tier).values(rows).on_conflict_do_nothing())
    await tx.execute(
        insert(Programme)
        .values(brand_id=brand_id, updated_at=now, **msgspec.structs.asdict(rules or NewRules()))
        .on_conflict_do_nothing()
    )
    return brand_id

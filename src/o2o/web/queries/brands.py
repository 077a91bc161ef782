"""Reading how a brand looks and is called, for the frames around pages."""

from uuid import UUID

from sqlalchemy import select

from o2o.crm.organisation import Brand, OfficialAccount
from o2o.infra.database import Tx


async def get_brand_face(tx: Tx, brand_id: UUID) -> tuple[str, str]:
    """Return a brand's slug and name; a session's brand exists."""
    row = (await tx.execute(select(Brand.slug, Brand.name).where(Brand.id == brand_id))).one()
    return row.slug, row.name


async def get_account_and_brand(tx: Tx, account_id: UUID) -> tuple[OfficialAccount, Brand]:
    """Return an official account and its brand; a session of either exists."""
    row = (
        await tx.execute(
            select(OfficialAccount, Brand)
            .join(Brand, Brand.id == OfficialAccount.brand_id)
            .where(OfficialAccount.id == account_id)
        )
    ).one()
    return row.OfficialAccount, row.Brand

"""Create a store of a brand; creating it again changes nothing and returns the first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.organisation import OfficialAccount, Store
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, StoreId, new_id
from o2o.stores.events import StoreOpened
from o2o.wechat.errors import AccountNotFound


async def create_store(
    tx: Tx,
    *,
    brand_id: UUID,
    account_id: UUID,
    code: str,
    name: str,
    city: str,
    district: str,
    address: str,
    latitude: float,
    longitude: float,
    phone: str,
    hours: Mapping[str, Any],
    timezone: str,
    now: datetime,
) -> StoreId:
    """Return the brand's store of that code, created if need be. Coordinates are GCJ-02 degrees.

    Raises AccountNotFound unless the account is the brand's. Publishes store.opened.
    """
    owner = await tx.scalar(
        select(OfficialAccount.brand_id).where(OfficialAccount.id == account_id)
    )
    if owner != brand_id:
        raise AccountNotFound(account_id=str(account_id))
    created = await tx.scalar(
        insert(Store)
        .values(
            id=new_id(),
            brand_id=brand_id,
            account_id=account_id,
            code=code,
            name=name,
            city=city,
            district=district,
            address=address,
            latitude=latitude,
            longitude=longitude,
            phone=phone,
            hours=dict(hours),
            timezone=timezone,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Store.brand_id, Store.code])
        .returning(Store.id)
    )
    if created is None:
        first = select(Store.id).where(Store.brand_id == brand_id, Store.code == code)
        return StoreId((await tx.execute(first)).scalar_one())
    await publish(tx, StoreOpened(store_id=StoreId(created), brand_id=BrandId(brand_id)), now=now)
    return StoreId(created)

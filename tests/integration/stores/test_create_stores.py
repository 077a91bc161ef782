"""Brands and stores are created once, by slug and code, and read within their brand."""

import pytest

from o2o.crm.statuses import BrandKind
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, StoreId, new_id
from o2o.stores import queries
from o2o.stores.actions.create_brand import NewTier, create_brand
from o2o.stores.actions.create_store import create_store
from o2o.stores.errors import BrandNotFound, StoreNotFound
from o2o.wechat.errors import AccountNotFound
from tests.factories.organisation import given_account, given_brand
from tests.fakes.clock import NOON

TIERS = [
    NewTier(code="reed", name="青苇", spend_from_fen=0),
    NewTier(code="lotus", name="荷塘", spend_from_fen=100_000),
]


async def brand(tx: Tx, name: str = "苇塘小灶") -> BrandId:
    return await create_brand(
        tx,
        slug="weitang",
        name=name,
        name_en="Reed Pond",
        kind=BrandKind.RESTAURANT,
        hue="#a6402b",
        terms_version="2025-03",
        card_prefix="980116",
        tiers=TIERS,
        now=NOON,
    )


async def store(tx: Tx, *, brand_id: BrandId, account_id: object, code: str = "yy") -> StoreId:
    return await create_store(
        tx,
        brand_id=brand_id,
        account_id=account_id,  # type: ignore[arg-type]  # rows give plain ids
        code=code,
        name="豫园店",
        city="上海",
        district="黄浦区",
        address="福佑路 1 号",
        latitude=31.22,
        longitude=121.49,
        phone="021-55550001",
        hours={"mon": [["11:00", "21:00"]]},
        timezone="Asia/Shanghai",
        now=NOON,
    )


async def test_a_brand_is_created_once(tx: Tx) -> None:
    first = await brand(tx)
    assert await brand(tx, name="another name") == first
    found = await queries.find_brand(tx, "weitang")
    assert found is not None
    assert (found.id, found.name) == (first, "苇塘小灶")
    tiers = await queries.list_tiers(tx, first)
    assert [(tier.code, tier.rank) for tier in tiers] == [("reed", 0), ("lotus", 1)]
    assert (await queries.get_brand(tx, first)).slug == "weitang"
    assert [one.id for one in await queries.list_brands(tx)] == [first]
    assert await queries.find_brand(tx, "nobody") is None
    with pytest.raises(BrandNotFound):
        await queries.get_brand(tx, new_id())


async def test_a_store_is_created_once_and_only_under_the_brands_account(
    tx: Tx, seal: Seal
) -> None:
    other = await given_brand(tx)
    foreign = await given_account(tx, other, seal=seal)
    brand_id = await brand(tx)
    row = await queries.get_brand(tx, brand_id)
    account = await given_account(tx, row, seal=seal, slug="weitang")
    with pytest.raises(AccountNotFound):
        await store(tx, brand_id=brand_id, account_id=foreign.id)

    first = await store(tx, brand_id=brand_id, account_id=account.id)
    assert await store(tx, brand_id=brand_id, account_id=account.id) == first
    second = await store(tx, brand_id=brand_id, account_id=account.id, code="rj")

    assert (await queries.get_store(tx, first, brand_id=brand_id)).city == "上海"
    with pytest.raises(StoreNotFound):
        await queries.get_store(tx, first, brand_id=other.id)
    with pytest.raises(StoreNotFound):
        await queries.get_store(tx, new_id())
    found = await queries.find_store_by_code(tx, brand_id=brand_id, code="rj")
    assert found is not None
    assert found.id == second
    assert {one.id for one in await queries.list_stores(tx, brand_id=brand_id)} == {first, second}
    assert len(await queries.list_stores(tx, account_id=account.id)) == 2
    assert await queries.list_stores(tx, brand_id=other.id) == []
    assert [one.id for one in await queries.list_stores(tx, store_ids=[second])] == [second]
    assert await queries.list_store_names(tx, [first, new_id()]) == {first: "豫园店"}
    assert (await queries.get_account(tx, "weitang")).id == account.id
    assert [one.slug for one in await queries.list_accounts(tx, brand_id=brand_id)] == ["weitang"]
    assert len(await queries.list_accounts(tx)) == 2
    with pytest.raises(AccountNotFound):
        await queries.get_account(tx, "nobody")

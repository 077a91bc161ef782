"""Brands, tiers, official accounts and stores for tests."""

from o2o.crm.organisation import Brand, OfficialAccount, Store, Tier
from o2o.crm.programmes import Programme
from o2o.crm.statuses import BrandKind, CallbackMode
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from tests.fakes.clock import NOON

APP_SECRET = "0123456789abcdef0123456789abcdef"
CALLBACK_TOKEN = "callbacktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def _word() -> str:
    return new_id().hex[-10:]


async def given_brand(tx: Tx, *, slug: str | None = None) -> Brand:
    brand = Brand(
        id=new_id(),
        slug=slug or f"brand-{_word()}",
        name="江南小灶",
        name_en="Jiangnan Kitchen",
        kind=BrandKind.RESTAURANT,
        hue="#0a7d4f",
        terms_version="2026-01",
        card_prefix="6660",
        created_at=NOON,
    )
    tx.add(brand)
    tx.add(
        Tier(
            id=new_id(), brand_id=brand.id, code="basic", name="普通会员", rank=0, spend_from_fen=0
        )
    )
    await tx.flush()
    tx.add(Programme(brand_id=brand.id, updated_at=NOON))
    await tx.flush()
    return brand


async def given_account(
    tx: Tx,
    brand: Brand,
    *,
    seal: Seal,
    slug: str | None = None,
    mode: CallbackMode = CallbackMode.SAFE,
) -> OfficialAccount:
    appid = f"wx{new_id().hex[:16]}"
    account = OfficialAccount(
        id=new_id(),
        brand_id=brand.id,
        slug=slug or f"acct-{_word()}",
        appid=appid,
        original_id=f"gh_{_word()}",
        name="江南小灶",
        place_word="门店",
        mode=mode,
        secret_sealed=seal.seal(APP_SECRET, label=f"{appid}:secret"),
        token_sealed=seal.seal(CALLBACK_TOKEN, label=f"{appid}:token"),
        aes_key_sealed=seal.seal(AES_KEY, label=f"{appid}:aes_key"),
        created_at=NOON,
    )
    tx.add(account)
    await tx.flush()
    return account


async def given_store(
    tx: Tx, brand: Brand, account: OfficialAccount, *, name: str = "小灶静安寺店"
) -> Store:
    store = Store(
        id=new_id(),
        brand_id=brand.id,
        account_id=account.id,
        code=_word(),
        name=name,
        city="上海",
        district="静安区",
        address="南京西路1600号",
        latitude=31.2236,
        longitude=121.4458,
        phone="021-55550001",
        hours={"mon": [["10:30", "21:30"]]},
        timezone="Asia/Shanghai",
        created_at=NOON,
    )
    tx.add(store)
    await tx.flush()
    return store

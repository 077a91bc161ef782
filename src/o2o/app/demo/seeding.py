"""Fill an empty database with the demo's world: brands, stores and staff, then members."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.app.demo import shapes
from o2o.app.demo.world import World
from o2o.crm.statuses import BrandKind, CallbackMode, StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.infra.passwords import hash_secret
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, StaffId, StoreId
from o2o.ledger.actions.open_accounts import open_store_accounts
from o2o.membership.actions.enter_packages import NewPackage, enter_packages
from o2o.staff.actions.create_staff import RoleAt, create_staff
from o2o.stores.actions.create_brand import NewRules, NewTier, create_brand
from o2o.stores.actions.create_store import create_store
from o2o.wechat.actions.register_account import AccountDetails, register_account


class SandboxAccount(msgspec.Struct, frozen=True):
    """An official account as the stand-in for WeChat issued it."""

    slug: str
    appid: str
    original_id: str
    secret: str
    token: str
    encoding_aes_key: str
    mode: CallbackMode


class Places(msgspec.Struct, frozen=True):
    """What was created, by the demo's own names."""

    brands: Mapping[str, BrandId]
    stores: Mapping[str, StoreId]
    staff: Mapping[str, StaffId]


async def seed_group(
    tx: Tx,
    world: World,
    *,
    accounts: Sequence[SandboxAccount],
    hashes: Mapping[str, tuple[str | None, str | None]],
    seal: Seal,
    now: datetime,
) -> Places:
    """Create brands, accounts, stores and staff; `hashes` are PIN and password by login."""
    issued = {account.slug: account for account in accounts}
    brands: dict[str, BrandId] = {}
    account_ids: dict[str, UUID] = {}
    for brand in world.brands:
        brands[brand.slug] = await _create_brand(tx, brand, now=now)
        account = world.account_of(brand.slug)
        account_ids[brand.slug] = await _register(
            tx,
            account,
            issued=issued[account.slug],
            brand_id=brands[brand.slug],
            seal=seal,
            now=now,
        )
    stores: dict[str, StoreId] = {}
    for store in world.stores:
        stores[store.code] = await _create_store(
            tx,
            store,
            brand_id=brands[store.brand],
            account_id=account_ids[store.brand],
            now=now,
        )
    for brand in world.brands:
        ids = [stores[store.code] for store in world.stores_of(brand.slug)]
        await open_store_accounts(tx, brand_id=brands[brand.slug], store_ids=ids, now=now)
        packages = [
            NewPackage(
                name=package.name,
                principal_fen=package.principal_fen,
                bonus_fen=package.bonus_fen,
                bonus_points=package.bonus_points,
            )
            for package in brand.top_ups
        ]
        await enter_packages(tx, packages, brand_id=brands[brand.slug], now=now)
    staff = {
        person.login: await _create_staff(
            tx,
            person,
            brand_id=brands[person.brand],
            stores=stores,
            hashes=hashes[person.login],
            now=now,
        )
        for person in world.staff
    }
    return Places(brands, stores, staff)


def hash_staff_secrets(world: World) -> dict[str, tuple[str | None, str | None]]:
    """Hash PIN and password of everybody; slow, so before the transaction."""
    return {
        person.login: (
            hash_secret(person.pin) if person.pin else None,
            hash_secret(person.password) if person.password else None,
        )
        for person in world.staff
    }


async def _create_brand(tx: Tx, brand: shapes.Brand, *, now: datetime) -> BrandId:
    return await create_brand(
        tx,
        slug=brand.slug,
        name=brand.name,
        name_en=brand.name_en,
        kind=BrandKind(brand.kind),
        hue=brand.hue,
        terms_version=brand.terms_version,
        card_prefix=brand.card_prefix,
        tiers=[
            NewTier(
                code=tier.code,
                name=tier.name,
                spend_from_fen=tier.spend_from_fen,
                visits_from=tier.visits_from,
                discount_bp=tier.discount_bp,
                points_multiplier_bp=tier.points_multiplier_bp,
                birthday_points=tier.birthday_points,
            )
            for tier in brand.tiers
        ],
        rules=NewRules(
            points_per_yuan=brand.points.points_per_yuan,
            points_valid_months=brand.points.valid_months,
            joining_points=brand.points.joining_points,
        ),
        now=now,
    )


async def _register(
    tx: Tx,
    account: shapes.OfficialAccount,
    *,
    issued: SandboxAccount,
    brand_id: BrandId,
    seal: Seal,
    now: datetime,
) -> UUID:
    return await register_account(
        tx,
        seal=seal,
        brand_id=brand_id,
        details=details_of(issued, name=account.name, place_word=account.place_word),
        now=now,
    )


def details_of(issued: SandboxAccount, *, name: str, place_word: str) -> AccountDetails:
    """Combine what the stand-in issued with how the account presents itself."""
    return AccountDetails(
        slug=issued.slug,
        appid=issued.appid,
        original_id=issued.original_id,
        name=name,
        place_word=place_word,
        secret=issued.secret,
        token=issued.token,
        encoding_aes_key=issued.encoding_aes_key,
        mode=issued.mode,
    )


async def _create_store(
    tx: Tx, store: shapes.Store, *, brand_id: BrandId, account_id: UUID, now: datetime
) -> StoreId:
    return await create_store(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        code=store.code,
        name=store.name,
        city=store.city,
        district=store.district,
        address=store.address,
        latitude=store.lat,
        longitude=store.lng,
        phone=store.phone,
        hours=store.weekly_hours(),
        timezone=store.timezone,
        now=now,
    )


async def _create_staff(
    tx: Tx,
    person: shapes.StaffMember,
    *,
    brand_id: BrandId,
    stores: Mapping[str, StoreId],
    hashes: tuple[str | None, str | None],
    now: datetime,
) -> StaffId:
    role = StaffRoleName(person.role)
    roles = [RoleAt(role, stores[code]) for code in person.stores] or [RoleAt(role)]
    pin_hash, password_hash = hashes
    return await create_staff(
        tx,
        brand_id=brand_id,
        login=person.login,
        name=person.name,
        roles=roles,
        password_hash=password_hash,
        pin_hash=pin_hash,
        actor=SYSTEM,
        now=now,
    )

"""The brand that something belongs to: the one named, the only one there is, or a new one."""

import re
import secrets
from datetime import datetime
from uuid import UUID

import click
import msgspec

from o2o.app.install.working import Speech
from o2o.crm.organisation import Brand, OfficialAccount, Store
from o2o.crm.statuses import BrandKind
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx
from o2o.stores.actions.create_brand import NewTier, create_brand
from o2o.stores.queries import (
    find_account,
    find_brand,
    find_store_by_code,
    list_accounts,
    list_brands,
    list_stores,
)

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
HUE = re.compile(r"#[0-9a-f]{6}")
CARD_PREFIX = re.compile(r"[0-9]{1,9}")
DEFAULT_HUE = "#0a7d4f"


class NewBrand(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about a brand that may not exist yet; `name` is empty if nothing was."""

    name: str | None
    name_en: str | None
    kind: str
    hue: str
    card_prefix: str | None

    def check(self) -> None:
        """Raise click.BadParameter for a colour or prefix that is none."""
        if HUE.fullmatch(self.hue) is None:
            raise click.BadParameter("write #rrggbb in lower case", param_hint="--brand-hue")
        if self.card_prefix is not None and CARD_PREFIX.fullmatch(self.card_prefix) is None:
            raise click.BadParameter("write 1 to 9 digits", param_hint="--card-prefix")


async def choose_brand(
    tx: Tx, slug: str | None, *, new: NewBrand | None, speech: Speech, now: datetime
) -> Brand:
    """Return the brand, created if a name for it was given. Ends the command if it is not clear."""
    brands = await list_brands(tx)
    known = ", ".join(brand.slug for brand in brands) or "-"
    if slug is None:
        if len(brands) != 1:
            speech.refuse("brand_wanted", known=known)
        return brands[0]
    brand = await find_brand(tx, slug)
    if brand is None and (new is None or not new.name):
        speech.refuse("brand_unknown", slug=slug, known=known)
    if brand is None:
        assert new is not None
        brand = await _create(tx, slug, new, speech=speech, now=now)
    return brand


async def _create(tx: Tx, slug: str, new: NewBrand, *, speech: Speech, now: datetime) -> Brand:
    if SLUG.fullmatch(slug) is None:
        speech.refuse_field("slug")
    assert new.name
    brand_id = await create_brand(
        tx,
        slug=slug,
        name=new.name,
        name_en=new.name_en or new.name,
        kind=BrandKind(new.kind),
        hue=new.hue,
        terms_version=f"{now:%Y-%m}",
        card_prefix=new.card_prefix or f"98{secrets.randbelow(10**4):04d}",
        tiers=[NewTier(code="basic", name=speech.default("tier"), spend_from_fen=0)],
        now=now,
    )
    await note(
        tx, actor=SYSTEM, action="brand.created", at=now, subject=("brand", brand_id), slug=slug
    )
    brand = await find_brand(tx, slug)
    assert brand is not None
    return brand


async def choose_account(
    tx: Tx, slug: str | None, *, brand_id: UUID, speech: Speech
) -> OfficialAccount:
    """Return the brand's account of that name, or its only one."""
    if slug is None:
        accounts = await list_accounts(tx, brand_id=brand_id)
        if len(accounts) != 1:
            speech.refuse("account_wanted", known=", ".join(one.slug for one in accounts) or "-")
        return accounts[0]
    account = await find_account(tx, slug)
    if account is None or account.brand_id != brand_id:
        speech.refuse("account_unknown", slug=slug)
    return account


async def choose_store(tx: Tx, code: str, *, brand: Brand, speech: Speech) -> Store:
    """Return the brand's store of that code."""
    store = await find_store_by_code(tx, brand_id=brand.id, code=code)
    if store is None:
        stores = await list_stores(tx, brand_id=brand.id)
        known = ", ".join(one.code for one in stores) or "-"
        speech.refuse("store_unknown", brand=brand.slug, code=code, known=known)
    return store

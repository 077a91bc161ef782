"""What surrounds every page of a diner: the account, its brand, the bottom bar."""

import msgspec

from o2o.crm.organisation import Brand, OfficialAccount
from o2o.web.principals import BrandFace, Diner

TABS = ("card", "queue", "wallet", "me")


class DinerFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What the frame around every diner page needs (`_layout/diner.html`)."""

    account_slug: str
    account_name: str
    brand_slug: str
    brand_name: str
    terms_version: str
    # The lit tab of the bottom bar, or none.
    tab: str
    tabs: tuple[str, ...] = TABS

    @classmethod
    def of(
        cls, account: OfficialAccount, brand: Brand, *, language: str, tab: str = ""
    ) -> "DinerFrame":
        """Frame a page of an account, the brand named in the reader's language."""
        face = BrandFace(brand.slug, brand.name, brand.name_en, brand.terms_version)
        return _frame(account.slug, account.name, face, language=language, tab=tab)


def frame_of(diner: Diner, *, language: str, tab: str = "") -> DinerFrame:
    """Return the frame of a diner's page."""
    return _frame(diner.account_slug, diner.account_name, diner.brand, language=language, tab=tab)


def _frame(slug: str, name: str, brand: BrandFace, *, language: str, tab: str) -> DinerFrame:
    return DinerFrame(
        account_slug=slug,
        account_name=name,
        brand_slug=brand.slug,
        brand_name=brand.name_en if language == "en" else brand.name,
        terms_version=brand.terms_version,
        tab=tab,
    )

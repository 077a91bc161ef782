"""What surrounds every page of a diner: the account, its brand, the bottom bar."""

import msgspec

from o2o.crm.organisation import Brand, OfficialAccount
from o2o.infra.database import Tx
from o2o.web.principals import Diner
from o2o.web.queries.brands import get_account_and_brand

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
        return cls(
            account_slug=account.slug,
            account_name=account.name,
            brand_slug=brand.slug,
            brand_name=brand.name_en if language == "en" else brand.name,
            terms_version=brand.terms_version,
            tab=tab,
        )


async def load_frame(tx: Tx, diner: Diner, *, language: str, tab: str = "") -> DinerFrame:
    """Read what the frame of a diner's page needs."""
    account, brand = await get_account_and_brand(tx, diner.account_id)
    return DinerFrame.of(account, brand, language=language, tab=tab)

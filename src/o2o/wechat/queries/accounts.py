"""Reads of official accounts as stored, with their credentials still sealed."""

from uuid import UUID

from sqlalchemy import select

from o2o.crm.organisation import OfficialAccount
from o2o.infra.database import Tx
from o2o.wechat.errors import AccountNotFound

# A group has a handful of accounts; this bounds what a mistake could load.
ACCOUNTS_MAX = 1000


async def list_accounts(tx: Tx) -> list[OfficialAccount]:
    """Return all official accounts, by slug."""
    found = await tx.scalars(
        select(OfficialAccount).order_by(OfficialAccount.slug).limit(ACCOUNTS_MAX)
    )
    return list(found)


async def lock_account(tx: Tx, account_id: UUID) -> OfficialAccount:
    """Lock one account's row until the transaction ends. Raises AccountNotFound."""
    account = await tx.scalar(
        select(OfficialAccount).where(OfficialAccount.id == account_id).with_for_update()
    )
    if account is None:
        raise AccountNotFound(account_id=str(account_id))
    return account


async def find_account_by_slug(tx: Tx, slug: str) -> OfficialAccount | None:
    """Return an account by its name in addresses."""
    found: OfficialAccount | None = await tx.scalar(
        select(OfficialAccount).where(OfficialAccount.slug == slug)
    )
    return found

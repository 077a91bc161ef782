"""Through whom a member can be told something, and how a store is named to him."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx


class Recipient(msgspec.Struct, frozen=True):
    """A following fan of a member, and the store the message is about."""

    account_id: UUID
    account_slug: str
    openid: str
    store_name: str
    timezone: str


# The account of the store first, then where the member followed last. Following is the condition:
# a template message to anybody else is refused, and unwanted.
_RECIPIENT = text(
    "SELECT f.account_id, a.slug, f.openid, s.name, s.timezone FROM fans f"
    " JOIN official_accounts a ON a.id = f.account_id"
    " JOIN members m ON m.id = f.member_id AND m.status = 'active' AND m.brand_id = a.brand_id"
    " JOIN stores s ON s.id = :store_id AND s.brand_id = m.brand_id"
    " WHERE f.member_id = :member_id AND f.is_following"
    " ORDER BY f.account_id = s.account_id DESC, f.followed_at DESC NULLS LAST, f.id LIMIT 1"
    # Who is being forgotten is told nothing any more: a deletion waits for this row, or this
    # for the deletion.
    " FOR KEY SHARE OF f"
)


class Follower(msgspec.Struct, frozen=True):
    """A following fan of a member."""

    account_id: UUID
    account_slug: str
    openid: str


_FOLLOWER = text(
    "SELECT f.account_id, a.slug, f.openid FROM fans f"
    " JOIN official_accounts a ON a.id = f.account_id"
    " JOIN members m ON m.id = f.member_id AND m.status = 'active' AND m.brand_id = a.brand_id"
    " WHERE f.member_id = :member_id AND f.is_following"
    " ORDER BY f.followed_at DESC NULLS LAST, f.id LIMIT 1 FOR KEY SHARE OF f"
)


async def find_follower(tx: Tx, *, member_id: UUID) -> Follower | None:
    """Return through which fan a member is told of something in no store, if through any."""
    row = (await tx.execute(_FOLLOWER, {"member_id": member_id})).first()
    return Follower(*row) if row else None


async def find_recipient(tx: Tx, *, member_id: UUID, store_id: UUID) -> Recipient | None:
    """Return through which fan a member is told of something in a store, if through any."""
    row = (await tx.execute(_RECIPIENT, {"member_id": member_id, "store_id": store_id})).first()
    return Recipient(*row) if row else None

"""Keep a fan whom OAuth or WeChat's user API named: once per openid, with what the profile says."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.kernel.text import without_controls

NICKNAME_CHARS_MAX = 64
URL_CHARS_MAX = 1024

# What is not told this time stays as it was told before.
_KEEP = text(
    "INSERT INTO fans AS f (id, account_id, openid, unionid, nickname, avatar_url, created_at)"
    " VALUES (:id, :account_id, :openid, :unionid, :nickname, :avatar_url, :now)"
    " ON CONFLICT (account_id, openid) DO UPDATE SET"
    " unionid = coalesce(excluded.unionid, f.unionid),"
    " nickname = coalesce(excluded.nickname, f.nickname),"
    " avatar_url = coalesce(excluded.avatar_url, f.avatar_url)"
    " RETURNING id"
)
_COMPLETE = text(
    "UPDATE fans SET unionid = :unionid WHERE account_id = :account_id AND openid = :openid"
)


class FanProfile(msgspec.Struct, frozen=True):
    """What WeChat told of a person in one account."""

    openid: str
    unionid: str | None = None
    nickname: str | None = None
    avatar_url: str | None = None


async def keep_fan(tx: Tx, *, account_id: UUID, profile: FanProfile, now: datetime) -> UUID:
    """Insert or complete a fan and return its identity; the key is (account, openid)."""
    nickname = without_controls(profile.nickname or "")[:NICKNAME_CHARS_MAX]
    avatar_url = profile.avatar_url or ""
    is_address = avatar_url.startswith(("https://", "http://"))
    fan_id: UUID = await tx.scalar(
        _KEEP,
        {
            "id": new_id(),
            "account_id": account_id,
            "openid": profile.openid,
            "unionid": profile.unionid,
            "nickname": nickname or None,
            "avatar_url": (avatar_url if is_address and len(avatar_url) <= URL_CHARS_MAX else None),
            "now": now,
        },
    )
    return fan_id


async def complete_fan(tx: Tx, *, account_id: UUID, openid: str, unionid: str) -> None:
    """Add what WeChat told of a fan that is there; one who asked to be deleted stays away."""
    await tx.execute(_COMPLETE, {"account_id": account_id, "openid": openid, "unionid": unionid})

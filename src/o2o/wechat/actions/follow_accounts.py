"""Follow and unfollow: what a fan's row says, what WeChat's profile leaves behind, who is told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.wechat.actions.erase_profiles import ALL_CODES, erase_profiles
from o2o.wechat.actions.keep_dialogues import end_dialogues
from o2o.wechat.chat.asks import Heard
from o2o.wechat.codec.messages import SubscribeEvent
from o2o.wechat.events import FanFollowed, FanUnfollowed

_FOLLOW = text(
    "UPDATE fans f SET is_following = true, unfollowed_at = NULL,"
    " followed_at = CASE WHEN f.is_following AND f.followed_at IS NOT NULL THEN f.followed_at"
    " ELSE n.at END, scene = coalesce(n.scene, f.scene)"
    " FROM (SELECT b.id, n.scene, n.at,"
    "  b.is_following AND b.followed_at IS NOT NULL AS was_following"
    "  FROM unnest(CAST(:ids AS uuid[]), CAST(:scenes AS text[]), CAST(:ats AS timestamptz[]))"
    "  AS n(id, scene, at) JOIN fans b ON b.id = n.id ORDER BY b.id FOR UPDATE OF b) AS n"
    " WHERE f.id = n.id RETURNING f.id, n.was_following"
)
_UNFOLLOW = text(
    "UPDATE fans SET is_following = false, unfollowed_at = :now"
    " WHERE id = ANY(CAST(:ids AS uuid[])) AND (is_following OR unfollowed_at IS NULL)"
    " RETURNING id"
)
_NOTE_WRITING = text(
    "UPDATE fans SET is_following = true WHERE id = ANY(CAST(:ids AS uuid[]))"
    " AND NOT is_following AND unfollowed_at IS NULL"
)


async def note_follows(tx: Tx, heard: Sequence[Heard]) -> None:
    """Take note of subscribe events; publishes fan.followed for those who did not follow before."""
    known = {one.fan_id: one for one in heard if one.fan_id is not None}
    if not known:
        return
    rows = await tx.execute(
        _FOLLOW,
        {
            "ids": list(known),
            "scenes": [_scene(one) for one in known.values()],
            "ats": [one.now for one in known.values()],
        },
    )
    new = [known[row.id] for row in rows if not row.was_following]
    await publish(
        tx,
        *(
            FanFollowed(
                fan_id=one.fan_id,
                account_id=one.account.id,
                openid=one.openid,
                scene=_scene(one),
                at=one.now,
            )
            for one in new
            if one.fan_id is not None
        ),
        now=heard[0].now,
    )


async def note_unfollows(tx: Tx, heard: Sequence[Heard]) -> None:
    """Take note of unsubscribe events: profile erased, dialogue over; publishes fan.unfollowed."""
    known = {one.fan_id: one for one in heard if one.fan_id is not None}
    if not known:
        return
    rows = await tx.execute(_UNFOLLOW, {"ids": list(known), "now": heard[0].now})
    gone = [known[row.id] for row in rows]
    await erase_profiles(tx, [(one.account.id, one.openid) for one in known.values()], ALL_CODES)
    await end_dialogues(tx, [(one.account.id, one.openid) for one in known.values()])
    await publish(
        tx,
        *(
            FanUnfollowed(
                fan_id=one.fan_id, account_id=one.account.id, openid=one.openid, at=one.now
            )
            for one in gone
            if one.fan_id is not None
        ),
        now=heard[0].now,
    )


async def note_writing(tx: Tx, fan_ids: Sequence[UUID]) -> None:
    """Mark fans as following who write to us without our having seen them follow."""
    if fan_ids:
        await tx.execute(_NOTE_WRITING, {"ids": list(fan_ids)})


def _scene(one: Heard) -> str | None:
    return one.message.scene if isinstance(one.message, SubscribeEvent) else None


async def unfollow_refused(tx: Tx, *, account_id: UUID, openid: str, now: datetime) -> None:
    """Take note that WeChat says a person does not follow (43004), whose event never reached us."""
    await tx.execute(
        text(
            "UPDATE fans SET is_following = false, unfollowed_at = :now"
            " WHERE account_id = :account_id AND openid = :openid AND is_following"
        ),
        {"account_id": account_id, "openid": openid, "now": now},
    )

"""Put a tag on a member, or take it off; either twice is as good as once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.membership.actions.open_dossier import lock_dossier
from o2o.membership.errors_dossier import TagsTooMany, TagUnreadable
from o2o.membership.rules.dossier import TAG_CHARS_MAX, TAGS_MAX, one_word

_COUNT = text("SELECT count(*) FROM member_tags WHERE member_id = :member_id AND tag <> :tag")
_ADD = text(
    "INSERT INTO member_tags (member_id, tag, brand_id, added_by, added_at)"
    " VALUES (:member_id, :tag, :brand_id, :by, :now) ON CONFLICT DO NOTHING RETURNING tag"
)
_REMOVE = text("DELETE FROM member_tags WHERE member_id = :member_id AND tag = :tag RETURNING tag")


async def add_tag(tx: Tx, *, member_id: UUID, tag: str, by: UUID, now: datetime) -> str:
    """Return the tag as it is kept.

    Raises RoleMissing, MemberNotFound, TagUnreadable, TagsTooMany.
    """
    brand_id = await lock_dossier(tx, member_id=member_id, by=by)
    word = one_word(tag, chars_max=TAG_CHARS_MAX)
    if word is None:
        raise TagUnreadable
    values = {"member_id": member_id, "tag": word, "brand_id": brand_id, "by": by, "now": now}
    # The member's row is held: nobody adds the tag beyond the limit beside us.
    if int(await tx.scalar(_COUNT, values) or 0) >= TAGS_MAX:
        raise TagsTooMany(most=TAGS_MAX)
    if await tx.scalar(_ADD, values) is not None:
        await _note(tx, "tag.added", member_id=member_id, by=by, tag=word, now=now)
    return word


async def remove_tag(tx: Tx, *, member_id: UUID, tag: str, by: UUID, now: datetime) -> None:
    """Take the tag off. Raises RoleMissing, MemberNotFound."""
    await lock_dossier(tx, member_id=member_id, by=by)
    word = one_word(tag, chars_max=TAG_CHARS_MAX) or ""
    if await tx.scalar(_REMOVE, {"member_id": member_id, "tag": word}) is not None:
        await _note(tx, "tag.removed", member_id=member_id, by=by, tag=word, now=now)


async def _note(tx: Tx, action: str, *, member_id: UUID, by: UUID, tag: str, now: datetime) -> None:
    subject = ("member", member_id)
    await note(tx, actor=Actor("staff", by), action=action, at=now, subject=subject, tag=tag)

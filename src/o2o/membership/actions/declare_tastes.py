"""Keep what a member says of food: cannot eat, dislikes, likes; said again, the latest holds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import TasteKind
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.membership.actions.open_dossier import lock_dossier
from o2o.membership.errors_dossier import TastesTooMany, TasteUnreadable
from o2o.membership.rules.dossier import TASTE_CHARS_MAX, TASTES_MAX, one_word

_COUNT = text("SELECT count(*) FROM declared_tastes WHERE member_id = :member_id AND word <> :word")
_DECLARE = text(
    "INSERT INTO declared_tastes (member_id, word, kind, declared_by, declared_at)"
    " VALUES (:member_id, :word, :kind, :by, :now) ON CONFLICT (member_id, word) DO UPDATE"
    " SET kind = excluded.kind, declared_by = excluded.declared_by,"
    " declared_at = excluded.declared_at WHERE declared_tastes.kind <> excluded.kind RETURNING 1"
)
_FORGET = text(
    "DELETE FROM declared_tastes WHERE member_id = :member_id AND word = :word RETURNING kind"
)


async def declare_taste(
    tx: Tx, *, member_id: UUID, word: str, kind: TasteKind, by: UUID, now: datetime
) -> str:
    """Return the word as it is kept.

    Raises RoleMissing, MemberNotFound, TasteUnreadable, TastesTooMany.
    """
    await lock_dossier(tx, member_id=member_id, by=by)
    kept = one_word(word, chars_max=TASTE_CHARS_MAX)
    if kept is None:
        raise TasteUnreadable
    values = {"member_id": member_id, "word": kept, "kind": kind.value, "by": by, "now": now}
    if int(await tx.scalar(_COUNT, values) or 0) >= TASTES_MAX:
        raise TastesTooMany(most=TASTES_MAX)
    if await tx.scalar(_DECLARE, values) is not None:
        await _note(tx, "taste.declared", member_id=member_id, by=by, kind=kind.value, now=now)
    return kept


async def forget_taste(tx: Tx, *, member_id: UUID, word: str, by: UUID, now: datetime) -> None:
    """Take a taste back. Raises RoleMissing, MemberNotFound."""
    await lock_dossier(tx, member_id=member_id, by=by)
    kept = one_word(word, chars_max=TASTE_CHARS_MAX) or ""
    kind = await tx.scalar(_FORGET, {"member_id": member_id, "word": kept})
    if kind is not None:
        await _note(tx, "taste.forgotten", member_id=member_id, by=by, kind=str(kind), now=now)


async def _note(
    tx: Tx, action: str, *, member_id: UUID, by: UUID, kind: str, now: datetime
) -> None:
    # Without the word: an allergy is a matter of health, and this trail is kept for ever.
    subject = ("member", member_id)
    await note(tx, actor=Actor("staff", by), action=action, at=now, subject=subject, kind=kind)

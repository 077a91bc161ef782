"""Write a note about a member, once per intention; pin it to the top of the dossier or unpin it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import RequestId, new_id
from o2o.membership.actions.open_dossier import lock_dossier
from o2o.membership.errors_dossier import NoteNotFound, NoteUnreadable
from o2o.membership.rules.dossier import NOTE_CHARS_MAX, readable

_WRITE = text(
    "INSERT INTO member_notes (id, member_id, request_id, body, author_id, written_at, pinned_at)"
    " VALUES (:id, :member_id, :request_id, :body, :by, :now, :pinned_at)"
    " ON CONFLICT (request_id) DO NOTHING RETURNING id"
)
_WRITTEN = text(
    "SELECT id, member_id, body, author_id FROM member_notes WHERE request_id = :request_id"
)
_PIN = text(
    "UPDATE member_notes SET pinned_at = CASE WHEN :is_pinned THEN coalesce(pinned_at, :now) END"
    " WHERE id = :note_id AND member_id = :member_id RETURNING id"
)


async def write_note(
    tx: Tx,
    *,
    request_id: RequestId,
    member_id: UUID,
    body: str,
    is_pinned: bool,
    by: UUID,
    now: datetime,
) -> UUID:
    """Return the note; the same intention again returns the same one.

    Raises RoleMissing, MemberNotFound, NoteUnreadable, RequestBodyDiffers.
    """
    await lock_dossier(tx, member_id=member_id, by=by)
    plain = readable(body, chars_max=NOTE_CHARS_MAX)
    if plain is None:
        raise NoteUnreadable
    note_id: UUID | None = await tx.scalar(
        _WRITE,
        {
            "id": new_id(),
            "member_id": member_id,
            "request_id": request_id,
            "body": plain,
            "by": by,
            "now": now,
            "pinned_at": now if is_pinned else None,
        },
    )
    if note_id is None:
        earlier = (await tx.execute(_WRITTEN, {"request_id": request_id})).one()
        if (earlier.member_id, earlier.body, earlier.author_id) != (member_id, plain, by):
            raise RequestBodyDiffers
        return UUID(str(earlier.id))
    # Under the note, not the member: the note itself stands on the timeline.
    subject = ("note", note_id)
    await note(tx, actor=Actor("staff", by), action="note.written", at=now, subject=subject)
    return note_id


async def pin_note(
    tx: Tx, *, member_id: UUID, note_id: UUID, is_pinned: bool, by: UUID, now: datetime
) -> None:
    """Pin or unpin. Raises RoleMissing, MemberNotFound, NoteNotFound."""
    await lock_dossier(tx, member_id=member_id, by=by)
    values = {"note_id": note_id, "member_id": member_id, "is_pinned": is_pinned, "now": now}
    if await tx.scalar(_PIN, values) is None:
        raise NoteNotFound(note_id=note_id)
    action = "note.pinned" if is_pinned else "note.unpinned"
    subject = ("note", note_id)
    await note(tx, actor=Actor("staff", by), action=action, at=now, subject=subject)

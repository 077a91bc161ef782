"""A manager makes two members one at the console, or takes that back: never without a reason.

The manager's word stands where a diner would be asked for the other's pay PIN: both members stand
at the counter, or their owner lost the phone. So it is a manager's, with a reason, in the audit.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import RequestId
from o2o.membership.actions.merge_members import MergedMembers, merge_members
from o2o.membership.actions.open_dossier import brand_for
from o2o.membership.actions.relate_members import find_whole_number
from o2o.membership.actions.unmerge_members import UnmergedMembers, unmerge_members
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import MergeNotFound, MergeReasonMissing, NotOneBrand
from o2o.membership.queries.merge_preview import is_merge_of
from o2o.membership.rules.dossier import MAY_MERGE, REASON_CHARS_MAX, REASON_CHARS_MIN, readable
from o2o.membership.rules.merging import Joined, choose_survivor

_PAIR = text(
    "SELECT id, joined_at FROM members WHERE id IN (:one, :other) AND brand_id = :brand_id"
)


async def find_partner(tx: Tx, *, member_id: UUID, typed: str, by: UUID) -> UUID:
    """Return whom a whole phone or card number names, to be shown before anything happens.

    Raises RoleMissing, OtherMemberUnknown, NotOneBrand for the member itself.
    """
    brand_id = await brand_for(tx, by, roles=MAY_MERGE)
    other_id = await find_whole_number(tx, typed, brand_id=brand_id)
    if other_id == member_id:
        raise NotOneBrand
    return other_id


async def merge_at_console(
    tx: Tx,
    *,
    request_id: RequestId,
    member_id: UUID,
    other_id: UUID,
    reason: str,
    by: UUID,
    now: datetime,
) -> MergedMembers:
    """Let two members of the manager's brand become one: who joined first stays.

    Sent again, it is answered. Raises RoleMissing, MergeReasonMissing, MemberNotFound also for
    another brand's member, and those of merge_members.
    """
    brand_id = await brand_for(tx, by, roles=MAY_MERGE)
    why = _reason(reason)
    pair = {"one": member_id, "other": other_id, "brand_id": brand_id}
    joined = {row.id: row.joined_at for row in await tx.execute(_PAIR, pair)}
    for wanted in (member_id, other_id):
        if wanted not in joined:
            raise MemberNotFound(member_id=wanted)
    into = choose_survivor([Joined(id_, at) for id_, at in joined.items()])
    merged = await merge_members(
        tx,
        request_id=request_id,
        from_member_id=other_id if into == member_id else member_id,
        into_member_id=into,
        by=Actor("staff", by),
        now=now,
    )
    if not merged.is_replay:
        await _note(tx, "merge.made_at_console", merged.merge_id, of=into, why=why, by=by, now=now)
    return merged


async def unmerge_at_console(
    tx: Tx,
    *,
    request_id: RequestId,
    member_id: UUID,
    merge_id: UUID,
    reason: str,
    by: UUID,
    now: datetime,
) -> UnmergedMembers:
    """Take a merge of this member apart, within its seven days.

    Sent again, it is answered. Raises RoleMissing, MergeReasonMissing, MemberNotFound,
    MergeNotFound, and those of unmerge_members.
    """
    brand_id = await brand_for(tx, by, roles=MAY_MERGE)
    why = _reason(reason)
    pair = {"one": member_id, "other": member_id, "brand_id": brand_id}
    if (await tx.execute(_PAIR, pair)).first() is None:
        raise MemberNotFound(member_id=member_id)
    if not await is_merge_of(tx, merge_id, member_id=member_id):
        raise MergeNotFound
    parted = await unmerge_members(
        tx, request_id=request_id, merge_id=merge_id, by=Actor("staff", by), now=now
    )
    if not parted.is_replay:
        of = parted.member_id
        await _note(tx, "merge.undone_at_console", merge_id, of=of, why=why, by=by, now=now)
    return parted


def _reason(typed: str) -> str:
    why = readable(typed, chars_max=REASON_CHARS_MAX)
    if why is None or len(why) < REASON_CHARS_MIN:
        raise MergeReasonMissing
    return why


async def _note(
    tx: Tx, action: str, merge_id: UUID, *, of: UUID, why: str, by: UUID, now: datetime
) -> None:
    """Keep why; the merge itself is on the timeline already."""
    await note(
        tx,
        actor=Actor("staff", by),
        action=action,
        at=now,
        subject=("dossier", of),
        merge_id=merge_id,
        reason=why,
    )

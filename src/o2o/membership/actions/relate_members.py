"""Say what two members are to each other, or take it back: who brought whom, who is family."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import RelationKind
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.membership.actions.open_dossier import lock_dossier
from o2o.membership.errors_dossier import (
    AlreadyBrought,
    BroughtInCircle,
    OtherMemberUnknown,
    RelationToSelf,
)
from o2o.membership.queries.search import search_members
from o2o.membership.rules.search import SearchKind, read_search

# Longer chains of who brought whom do not occur; a circle would be one without an end.
CHAIN_MAX = 100
# The whole of a phone or a card: nobody is related by four digits.
DIGITS_MIN = 11

_ADD = text(
    "INSERT INTO member_relations (member_id, other_id, kind, brand_id, added_by, added_at)"
    " VALUES (:member_id, :other_id, :kind, :brand_id, :by, :now)"
    " ON CONFLICT (member_id, other_id, kind) DO NOTHING RETURNING 1"
)
_BROUGHT_BY = text(
    "SELECT member_id FROM member_relations WHERE other_id = :member_id AND kind = 'brought'"
)
_CHAIN = text(
    "WITH RECURSIVE chain AS ("
    " SELECT r.member_id, 1 AS depth FROM member_relations r"
    "  WHERE r.other_id = :member_id AND r.kind = 'brought'"
    " UNION ALL SELECT r.member_id, c.depth + 1 FROM chain c JOIN member_relations r"
    "  ON r.other_id = c.member_id AND r.kind = 'brought' WHERE c.depth < :most)"
    " SELECT 1 FROM chain WHERE member_id = :other_id LIMIT 1"
)
_REMOVE = text(
    "DELETE FROM member_relations WHERE kind = :kind AND ((member_id = :member_id"
    " AND other_id = :other_id) OR (member_id = :other_id AND other_id = :member_id))"
    " RETURNING member_id, other_id"
)


async def relate_members(
    tx: Tx,
    *,
    member_id: UUID,
    other: str,
    kind: RelationKind,
    was_brought: bool,
    by: UUID,
    now: datetime,
) -> UUID:
    """Relate the member to whom a whole phone or card number names; return who that is.

    With `was_brought`, the other brought the member; else the member the other. Raises
    RoleMissing, MemberNotFound, OtherMemberUnknown, RelationToSelf, AlreadyBrought,
    BroughtInCircle.
    """
    brand_id = await lock_dossier(tx, member_id=member_id, by=by)
    other_id = await find_whole_number(tx, other, brand_id=brand_id)
    if other_id == member_id:
        raise RelationToSelf
    first, second = member_id, other_id
    if kind is RelationKind.BROUGHT:
        # One at a time within the brand: two halves of a circle would not see each other.
        await lock_names(tx, f"member_relations:{brand_id}")
        first, second = (other_id, member_id) if was_brought else (member_id, other_id)
        await _check_brought(tx, first, second)
    else:
        first, second = sorted((member_id, other_id))
    values = {
        "member_id": first,
        "other_id": second,
        "kind": kind.value,
        "brand_id": brand_id,
        "by": by,
        "now": now,
    }
    if await tx.scalar(_ADD, values) is not None:
        await _note_both(tx, "relation.added", pair=(first, second), kind=kind, by=by, now=now)
    return other_id


async def part_members(
    tx: Tx, *, member_id: UUID, other_id: UUID, kind: RelationKind, by: UUID, now: datetime
) -> None:
    """Take a relation back, whichever way it runs. Raises RoleMissing, MemberNotFound."""
    await lock_dossier(tx, member_id=member_id, by=by)
    values = {"member_id": member_id, "other_id": other_id, "kind": kind.value}
    for row in (await tx.execute(_REMOVE, values)).all():
        pair = (row.member_id, row.other_id)
        await _note_both(tx, "relation.removed", pair=pair, kind=kind, by=by, now=now)


async def find_whole_number(tx: Tx, typed: str, *, brand_id: UUID) -> UUID:
    """Return the one member of a whole phone or card number. Raises OtherMemberUnknown."""
    search = read_search(typed)
    is_whole = search.kind is SearchKind.CARD or (
        search.kind is SearchKind.NUMBER and len(search.value) >= DIGITS_MIN
    )
    if not is_whole:
        raise OtherMemberUnknown
    found = (await search_members(tx, search, brand_id=brand_id, limit=2)).members
    if len(found) != 1:
        raise OtherMemberUnknown
    return found[0].member_id


async def _check_brought(tx: Tx, first: UUID, second: UUID) -> None:
    """Raise unless `first` may have brought `second`."""
    bringer = await tx.scalar(_BROUGHT_BY, {"member_id": second})
    if bringer is not None and bringer != first:
        raise AlreadyBrought
    values = {"member_id": first, "other_id": second, "most": CHAIN_MAX}
    if await tx.scalar(_CHAIN, values) is not None:
        raise BroughtInCircle


async def _note_both(
    tx: Tx, action: str, *, pair: tuple[UUID, UUID], kind: RelationKind, by: UUID, now: datetime
) -> None:
    """Put the change on both timelines."""
    for one, other in (pair, pair[::-1]):
        await note(
            tx,
            actor=Actor("staff", by),
            action=action,
            at=now,
            subject=("member", one),
            other_id=other,
            kind=kind.value,
        )

"""Un-merge: within seven days two who became one come apart again, each with what is its own."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import CardStatus, MemberStatus, OfflineCardStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, MemberId, RequestId
from o2o.ledger.actions.merge_wallets import unmerge_wallets
from o2o.membership.actions.merge_profiles import (
    Snapshot,
    add_phone,
    read_profiles,
    restored_profile,
    take_consents_back,
    write_profile,
)
from o2o.membership.actions.move_rows import move_rows_back
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import (
    LaterMergeFirst,
    MergeNotFound,
    MergeTooOld,
    MergeUndone,
)
from o2o.membership.events import MembersUnmerged
from o2o.membership.moves_identity import CARD_MOVES, MEMBER_MOVES, OFFLINE_CARD_MOVES
from o2o.membership.rules.merging import undo_until


class UnmergedMembers(msgspec.Struct, frozen=True, kw_only=True):
    """Who came back out of whom."""

    returned_member_id: MemberId
    member_id: MemberId
    is_replay: bool


_FIND = text("SELECT * FROM member_merges WHERE id = :id")
_LOCK = text("SELECT id, status FROM members WHERE id IN (:from, :into) ORDER BY id FOR UPDATE")
_UNDO = text(
    "UPDATE member_merges SET undone_at = :now, undo_request_id = :request_id,"
    " undone_by_kind = :kind, undone_by_id = :by WHERE id = :id AND undone_at IS NULL RETURNING id"
)
_COME_BACK = text(
    "UPDATE members SET status = 'active', merged_into_id = NULL"
    " WHERE id = :from AND merged_into_id = :into"
    " AND status = ANY(CAST(:sources AS text[]))"
)
# Salted, so that the same hash is the very PIN that came along; one chosen since stays.
_PIN_BACK = text(
    "UPDATE members s SET pay_pin_hash = NULL, pay_pin_failures = 0, pay_pin_locked_at = NULL"
    " FROM members f WHERE s.id = :into AND f.id = :from AND s.pay_pin_hash = f.pay_pin_hash"
)
_CARDS_BACK = text(
    "UPDATE cards c SET status = 'active' WHERE id = ANY(CAST(:ids AS uuid[]))"
    " AND status = ANY(CAST(:sources AS text[])) AND NOT EXISTS (SELECT 1 FROM cards o"
    " WHERE o.member_id = c.member_id AND o.status = 'active')"
)
# Nobody in WeChat has it any more: it can be bound again.
_FREE_CARDS = text(
    "UPDATE offline_cards SET status = 'unbound', bound_at = NULL"
    " WHERE member_id = :from AND status = ANY(CAST(:sources AS text[]))"
    " AND NOT EXISTS (SELECT 1 FROM fans WHERE member_id = :from)"
)
_KILL_CODES = text(
    "UPDATE member_codes SET expires_at = :now"
    " WHERE member_id = :into AND used_at IS NULL AND expires_at > :now"
)
_CLOSE_VISITS = text(
    "UPDATE counter_visits SET closed_at = :now WHERE member_id = :into AND closed_at IS NULL"
)


async def unmerge_members(
    tx: Tx, *, request_id: RequestId, merge_id: UUID, by: Actor, now: datetime
) -> UnmergedMembers:
    """Take a merge back: rows by note, money by origin as far as unspent, profile unless changed.

    What came to the survivor since stays with it. Sent again, it is answered. Raises
    MergeNotFound, MergeUndone, MergeTooOld, LaterMergeFirst, MemberNotFound (deleted since),
    RequestBodyDiffers, and the ledger's HoldsOpen. Publishes member.unmerged.
    """
    merge = (await tx.execute(_FIND, {"id": merge_id})).first()
    if merge is None:
        raise MergeNotFound
    pair = {"from": merge.from_member_id, "into": merge.into_member_id}
    statuses = {row.id: row.status for row in await tx.execute(_LOCK, pair)}
    # After the lock: whoever undid it meanwhile has committed.
    merge = (await tx.execute(_FIND, {"id": merge_id})).one()
    if merge.undone_at is not None:
        if merge.undo_request_id != request_id:
            raise MergeUndone
        return _unmerged(pair, is_replay=True)
    _check(merge, statuses, now=now)
    await _claim(tx, merge, request_id=request_id, by=by, now=now)
    await unmerge_wallets(
        tx,
        request_id=request_id,
        from_member_id=MemberId(pair["from"]),
        into_member_id=MemberId(pair["into"]),
        now=now,
    )
    await _come_apart(tx, merge, pair=pair, now=now)
    event = MembersUnmerged(
        merge_id=merge_id,
        member_id=MemberId(pair["into"]),
        returned_member_id=MemberId(pair["from"]),
        brand_id=BrandId(merge.brand_id),
        at=now,
    )
    await publish(tx, event, now=now)
    await note(
        tx,
        actor=by,
        action=event.name,
        at=now,
        subject=("member", pair["into"]),
        merge_id=merge_id,
        returned_member_id=pair["from"],
    )
    return _unmerged(pair, is_replay=False)


def _check(merge: Any, statuses: dict[UUID, str], *, now: datetime) -> None:
    until = undo_until(merge.merged_at)
    if now >= until:
        raise MergeTooOld(undo_until=until)
    if statuses[merge.into_member_id] == MemberStatus.MERGED:
        raise LaterMergeFirst
    for member_id in (merge.from_member_id, merge.into_member_id):
        if statuses[member_id] == MemberStatus.DELETED:
            raise MemberNotFound(member_id=member_id)


async def _claim(tx: Tx, merge: Any, *, request_id: RequestId, by: Actor, now: datetime) -> None:
    used = await tx.scalar(
        text("SELECT 1 FROM member_merges WHERE undo_request_id = :request_id"),
        {"request_id": request_id},
    )
    if used:
        raise RequestBodyDiffers(request_id=str(request_id))
    asked = {"id": merge.id, "request_id": request_id, "kind": by.kind, "by": by.id, "now": now}
    if (await tx.execute(_UNDO, asked)).first() is None:
        raise MergeUndone


async def _come_apart(tx: Tx, merge: Any, *, pair: dict[str, UUID], now: datetime) -> None:
    snapshot = msgspec.convert(merge.snapshot, Snapshot)
    merged = sorted(MEMBER_MOVES.sources_of(MemberStatus.ACTIVE))
    await tx.execute(_COME_BACK, pair | {"sources": merged})
    await move_rows_back(
        tx, merge_id=merge.id, from_member_id=pair["from"], into_member_id=pair["into"]
    )
    current = (await read_profiles(tx, pair["into"], pair["into"]))[pair["into"]][0]
    await write_profile(tx, pair["into"], restored_profile(current, snapshot=snapshot))
    await tx.execute(_PIN_BACK, pair)
    for phone in snapshot.phones_dropped:
        await add_phone(tx, pair["into"], phone, now=now)
    await take_consents_back(tx, snapshot, merged_at=merge.merged_at, now=now)
    replaced = sorted(CARD_MOVES.sources_of(CardStatus.ACTIVE))
    await tx.execute(_CARDS_BACK, {"ids": snapshot.cards_replaced, "sources": replaced})
    bound = sorted(OFFLINE_CARD_MOVES.sources_of(OfflineCardStatus.UNBOUND))
    await tx.execute(_FREE_CARDS, {"from": pair["from"], "sources": bound})
    # The phone that shows a code may be either one's from now on.
    await tx.execute(_KILL_CODES, pair | {"now": now})
    await tx.execute(_CLOSE_VISITS, pair | {"now": now})


def _unmerged(pair: dict[str, UUID], *, is_replay: bool) -> UnmergedMembers:
    return UnmergedMembers(
        returned_member_id=MemberId(pair["from"]),
        member_id=MemberId(pair["into"]),
        is_replay=is_replay,
    )

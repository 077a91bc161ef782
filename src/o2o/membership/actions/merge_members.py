"""Merge: two members of a brand become one, with money, points, cards and all that hangs on them.

The survivor is the one who joined first (`rules.merging.choose_survivor`), unless the caller has a
reason of its own: an imported card goes into the member of whoever binds it.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import CardStatus, MemberStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, MemberId, RequestId, new_id
from o2o.ledger.actions.merge_wallets import merge_wallets
from o2o.membership.actions.merge_profiles import (
    Snapshot,
    add_phone,
    drop_phones,
    merge_consents,
    merged_profile,
    read_profiles,
    write_profile,
)
from o2o.membership.actions.move_rows import move_rows
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import MemberMergedAway, NotOneBrand
from o2o.membership.events import MembersMerged
from o2o.membership.moves_identity import CARD_MOVES, MEMBER_MOVES
from o2o.membership.queries.identity import list_survivors
from o2o.membership.rules.merging import undo_until


class MergedMembers(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a merge; until `undo_until` it can be undone."""

    merge_id: UUID
    member_id: MemberId
    undo_until: datetime
    is_replay: bool


# FOR UPDATE, and not less: whoever relies on a member staying what it is holds its key.
_LOCK = text(
    "SELECT id, brand_id, status FROM members WHERE id IN (:one, :other) ORDER BY id FOR UPDATE"
)
_EARLIER = text(
    "SELECT id, from_member_id, into_member_id, merged_at FROM member_merges"
    " WHERE request_id = :request_id"
)
_INSERT = text(
    "INSERT INTO member_merges (id, request_id, brand_id, from_member_id, into_member_id,"
    " merged_at, merged_by_kind, merged_by_id, snapshot) VALUES (:id, :request_id, :brand_id,"
    " :from, :into, :now, :kind, :by, CAST('{}' AS jsonb))"
)
_KEEP = text("UPDATE member_merges SET snapshot = CAST(:snapshot AS jsonb) WHERE id = :id")
_REPLACE_CARDS = text(
    "UPDATE cards SET status = 'replaced' WHERE member_id = :from"
    " AND status = ANY(CAST(:sources AS text[])) RETURNING id"
)
_KILL_CODES = text(
    "UPDATE member_codes SET expires_at = :now"
    " WHERE member_id = :from AND used_at IS NULL AND expires_at > :now"
)
_CLOSE_VISITS = text(
    "UPDATE counter_visits SET closed_at = :now WHERE member_id = :from AND closed_at IS NULL"
)
# What a PIN guarded stays guarded: by the survivor's own, else by the one that comes along.
_KEEP_PIN = text(
    "UPDATE members s SET pay_pin_hash = f.pay_pin_hash, pay_pin_failures = f.pay_pin_failures,"
    " pay_pin_locked_at = f.pay_pin_locked_at FROM members f WHERE s.id = :into AND f.id = :from"
    " AND s.pay_pin_hash IS NULL AND f.pay_pin_hash IS NOT NULL"
)
_GO = text(
    "UPDATE members SET status = 'merged', merged_into_id = :into"
    " WHERE id = :from AND status = ANY(CAST(:sources AS text[]))"
)


async def merge_members(
    tx: Tx,
    *,
    request_id: RequestId,
    from_member_id: UUID,
    into_member_id: UUID,
    by: Actor,
    now: datetime,
    proved_phone: str | None = None,
) -> MergedMembers:
    """Let `from_member_id` become one with `into_member_id`.

    Sent again, it is answered from the books. `proved_phone` becomes the survivor's. Raises
    MemberNotFound, MemberMergedAway, NotOneBrand, RequestBodyDiffers, and the ledger's HoldsOpen
    while something is set aside. Publishes member.merged.
    """
    pair = {"from": from_member_id, "into": into_member_id}
    if from_member_id == into_member_id:
        raise NotOneBrand
    rows = await tx.execute(_LOCK, {"one": from_member_id, "other": into_member_id})
    locked = {row.id: row for row in rows}
    earlier = (await tx.execute(_EARLIER, {"request_id": request_id})).first()
    if earlier is not None:
        if (earlier.from_member_id, earlier.into_member_id) != (from_member_id, into_member_id):
            raise RequestBodyDiffers(request_id=str(request_id))
        return _merged(earlier.id, into_member_id, at=earlier.merged_at, is_replay=True)
    for member_id in (from_member_id, into_member_id):
        if member_id not in locked or locked[member_id].status == MemberStatus.DELETED:
            raise MemberNotFound(member_id=member_id)
        if locked[member_id].status == MemberStatus.MERGED:
            survivors = await list_survivors(tx, [member_id])
            raise MemberMergedAway(member_id=member_id, survivor_id=survivors[member_id])
    brand_id = locked[into_member_id].brand_id
    if locked[from_member_id].brand_id != brand_id:
        raise NotOneBrand
    await merge_wallets(
        tx,
        request_id=request_id,
        from_member_id=MemberId(from_member_id),
        into_member_id=MemberId(into_member_id),
        now=now,
    )
    merge_id = new_id()
    asked = pair | {"now": now, "id": merge_id, "request_id": request_id, "brand_id": brand_id}
    await tx.execute(_INSERT, asked | {"kind": by.kind, "by": by.id})
    snapshot = await _become_one(tx, merge_id, pair=pair, proved_phone=proved_phone, now=now)
    encoded = msgspec.json.encode(snapshot).decode()
    await tx.execute(_KEEP, {"id": merge_id, "snapshot": encoded})
    await _tell(tx, merge_id, pair=pair, brand_id=brand_id, by=by, now=now)
    return _merged(merge_id, into_member_id, at=now, is_replay=False)


async def _become_one(
    tx: Tx, merge_id: UUID, *, pair: dict[str, UUID], proved_phone: str | None, now: datetime
) -> Snapshot:
    from_id, into_id = pair["from"], pair["into"]
    profiles = await read_profiles(tx, from_id, into_id)
    before = profiles[into_id][0]
    after = merged_profile(profiles[into_id], profiles[from_id], proved_phone=proved_phone, now=now)
    # Before the fans go: whether somebody was asked depends on whether anybody is there.
    given, withdrawn = await merge_consents(
        tx, from_member_id=from_id, into_member_id=into_id, now=now
    )
    dropped: list[str] = []
    if proved_phone is not None:
        dropped = await drop_phones(tx, into_id, keep=proved_phone)
    await move_rows(tx, merge_id=merge_id, from_member_id=from_id, into_member_id=into_id)
    if proved_phone is not None:
        await add_phone(tx, into_id, proved_phone, now=now)
    await write_profile(tx, into_id, after)
    usable = sorted(CARD_MOVES.sources_of(CardStatus.REPLACED))
    cards = list(await tx.scalars(_REPLACE_CARDS, {"from": from_id, "sources": usable}))
    await tx.execute(_KILL_CODES, pair | {"now": now})
    await tx.execute(_CLOSE_VISITS, pair | {"now": now})
    await tx.execute(_KEEP_PIN, pair)
    sources = sorted(MEMBER_MOVES.sources_of(MemberStatus.MERGED))
    await tx.execute(_GO, pair | {"sources": sources})
    return Snapshot(
        before=before,
        after=after,
        phones_dropped=dropped,
        cards_replaced=cards,
        consents_given=given,
        consents_withdrawn=withdrawn,
    )


async def _tell(
    tx: Tx, merge_id: UUID, *, pair: dict[str, UUID], brand_id: UUID, by: Actor, now: datetime
) -> None:
    event = MembersMerged(
        merge_id=merge_id,
        member_id=MemberId(pair["into"]),
        merged_member_id=MemberId(pair["from"]),
        brand_id=BrandId(brand_id),
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
        merged_member_id=pair["from"],
    )


def _merged(merge_id: UUID, member_id: UUID, *, at: datetime, is_replay: bool) -> MergedMembers:
    return MergedMembers(
        merge_id=merge_id,
        member_id=MemberId(member_id),
        undo_until=undo_until(at),
        is_replay=is_replay,
    )

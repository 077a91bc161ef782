"""Grant and spend points through the API; set-based, for the coalescer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, BrandId, MemberId, RequestId, StoreId
from o2o.ledger.actions.grant_points import GrantPoints, PointsMoved, grant_points
from o2o.ledger.actions.spend_points import SpendPoints, spend_points
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import MemberMergedAway
from o2o.membership.queries.counter import (
    MemberFacts,
    StoreFacts,
    list_member_facts,
    list_merged_facts,
    list_own_stores,
    list_store_facts,
)
from o2o.membership.queries.owners import FirstAsked, list_first_asked
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.points import points_expire_at
from o2o.stores.errors import StoreNotFound, StoreNotOfBrand

__all__ = ["MovePoints", "PointsMoved", "grant_points_by_key", "spend_points_by_key"]


class MovePoints(msgspec.Struct, frozen=True, kw_only=True):
    """Give a member so many points in a store, or take them for something given there.

    Where no store is named, the member's own stands behind it.
    """

    request_id: RequestId
    member_id: UUID
    points: int
    store_id: UUID | None
    reason: str
    key_id: UUID
    # Of the key; None speaks for the whole group.
    brand_id: UUID | None
    now: datetime


class _Place(msgspec.Struct):
    store: StoreFacts | None
    # Of the same intention, when it was sent before.
    earlier: FirstAsked | None
    refusal: Fact | None = None

    @property
    def store_id(self) -> StoreId:
        """Of a command that was not refused."""
        assert self.store is not None
        return StoreId(self.store.store_id)


async def grant_points_by_key(tx: Tx, commands: Sequence[MovePoints]) -> list[PointsMoved | Fact]:
    """Answer each in order. The points live as long as the programme lets points live.

    Facts: MemberNotFound (another brand's too), MemberMergedAway, StoreNotFound, StoreNotOfBrand
    and those of grant_points.
    """
    places = await _places(tx, commands)
    wanted = [
        GrantPoints(
            request_id=c.request_id,
            member_id=MemberId(c.member_id),
            store_id=place.store_id,
            points=c.points,
            # Sent again, the same end is asked for, however late it is by now.
            expires_at=await _end(tx, place, at=place.earlier.at if place.earlier else c.now),
            reason=c.reason,
            api_key_id=APIKeyId(c.key_id),
            now=c.now,
        )
        for c, place in zip(commands, places, strict=True)
        if place.refusal is None
    ]
    outcomes = await grant_points(tx, wanted)
    return await _answered(tx, commands, places=places, outcomes=outcomes, action="points.granted")


async def spend_points_by_key(tx: Tx, commands: Sequence[MovePoints]) -> list[PointsMoved | Fact]:
    """Answer each in order.

    Facts: MemberNotFound (another brand's too), MemberMergedAway, StoreNotFound, StoreNotOfBrand
    and those of spend_points.
    """
    places = await _places(tx, commands)
    wanted = [
        SpendPoints(
            request_id=c.request_id,
            member_id=MemberId(c.member_id),
            store_id=place.store_id,
            points=c.points,
            reason=c.reason,
            api_key_id=APIKeyId(c.key_id),
            now=c.now,
        )
        for c, place in zip(commands, places, strict=True)
        if place.refusal is None
    ]
    outcomes = await spend_points(tx, wanted)
    return await _answered(tx, commands, places=places, outcomes=outcomes, action="points.spent")


async def _places(tx: Tx, commands: Sequence[MovePoints]) -> list[_Place]:
    asked = {c.member_id for c in commands}
    members = await list_member_facts(tx, asked, is_held=True)
    merged = await list_merged_facts(tx, asked - set(members))
    earlier = await list_first_asked(tx, {c.request_id for c in commands})
    own = await list_own_stores(tx, {c.member_id for c in commands if c.store_id is None})
    store_ids = [_store_id(c, earlier.get(c.request_id), own=own) for c in commands]
    stores = await list_store_facts(tx, {store_id for store_id in store_ids if store_id})
    places = []
    for command, store_id in zip(commands, store_ids, strict=True):
        place = _Place(stores.get(store_id) if store_id else None, earlier.get(command.request_id))
        member = members.get(command.member_id)
        place.refusal = _refusal(command, place, member or merged.get(command.member_id))
        # What was done on a member before it became another is answered, lest it be done again.
        if place.refusal is None and member is None and place.earlier is None:
            survivor_id = merged[command.member_id].member_id
            place.refusal = MemberMergedAway(member_id=command.member_id, survivor_id=survivor_id)
        places.append(place)
    return places


def _store_id(
    command: MovePoints, earlier: FirstAsked | None, *, own: dict[UUID, UUID]
) -> UUID | None:
    """Return the named store; else the one of the first time, else the member's own."""
    if command.store_id is not None:
        return command.store_id
    return (earlier and earlier.store_id) or own.get(command.member_id)


def _refusal(command: MovePoints, place: _Place, member: MemberFacts | None) -> Fact | None:
    if member is None or command.brand_id not in {None, member.brand_id}:
        return MemberNotFound(member_id=command.member_id)
    if place.store is None:
        return StoreNotFound(store_id=command.store_id)
    if place.store.brand_id != member.brand_id:
        return StoreNotOfBrand(store_id=place.store.store_id)
    return None


async def _end(tx: Tx, place: _Place, *, at: datetime) -> datetime | None:
    assert place.store is not None
    programme = await get_programme(tx, BrandId(place.store.brand_id))
    return points_expire_at(
        at, valid_months=programme.points_valid_months, timezone=place.store.timezone
    )


async def _answered(
    tx: Tx,
    commands: Sequence[MovePoints],
    *,
    places: Sequence[_Place],
    outcomes: Sequence[PointsMoved | Fact],
    action: str,
) -> list[PointsMoved | Fact]:
    moved = iter(outcomes)
    answers: list[PointsMoved | Fact] = []
    for command, place in zip(commands, places, strict=True):
        outcome = place.refusal or next(moved)
        answers.append(outcome)
        if isinstance(outcome, PointsMoved) and not outcome.is_replay:
            await note(
                tx,
                actor=Actor("api_key", command.key_id),
                action=action,
                at=command.now,
                subject=("member", command.member_id),
                store_id=place.store_id,
                # Why, the books know: words may name somebody, and nothing goes from the trail.
                transfer_id=outcome.transfer_id,
                points=outcome.points,
            )
    return answers

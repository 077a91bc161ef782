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
from o2o.membership.queries.counter import (
    MemberFacts,
    StoreFacts,
    list_member_facts,
    list_store_facts,
)
from o2o.membership.queries.owners import list_first_asked
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.points import points_expire_at
from o2o.stores.errors import StoreNotFound, StoreNotOfBrand

__all__ = ["MovePoints", "PointsMoved", "grant_points_by_key", "spend_points_by_key"]


class MovePoints(msgspec.Struct, frozen=True, kw_only=True):
    """Give a member so many points in a store, or take them for something given there."""

    request_id: RequestId
    member_id: UUID
    points: int
    store_id: UUID
    reason: str
    key_id: UUID
    # Of the key; None speaks for the whole group.
    brand_id: UUID | None
    now: datetime


class _Place(msgspec.Struct):
    member: MemberFacts | None
    store: StoreFacts | None
    refusal: Fact | None


async def grant_points_by_key(tx: Tx, commands: Sequence[MovePoints]) -> list[PointsMoved | Fact]:
    """Answer each in order. The points live as long as the programme lets points live.

    Facts: MemberNotFound (another brand's too), StoreNotFound, StoreNotOfBrand and those of
    grant_points.
    """
    places = await _places(tx, commands)
    # Sent again, the same end is asked for, however late it is by now.
    asked_at = await list_first_asked(tx, {command.request_id for command in commands})
    wanted = [
        GrantPoints(
            request_id=c.request_id,
            member_id=MemberId(c.member_id),
            store_id=StoreId(c.store_id),
            points=c.points,
            expires_at=await _end(tx, place, at=asked_at.get(c.request_id, c.now)),
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

    Facts: MemberNotFound (another brand's too), StoreNotFound, StoreNotOfBrand and those of
    spend_points.
    """
    places = await _places(tx, commands)
    wanted = [
        SpendPoints(
            request_id=c.request_id,
            member_id=MemberId(c.member_id),
            store_id=StoreId(c.store_id),
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
    members = await list_member_facts(tx, {c.member_id for c in commands}, is_held=True)
    stores = await list_store_facts(tx, {c.store_id for c in commands})
    places = []
    for command in commands:
        place = _Place(members.get(command.member_id), stores.get(command.store_id), None)
        place.refusal = _refusal(command, place)
        places.append(place)
    return places


def _refusal(command: MovePoints, place: _Place) -> Fact | None:
    member, store = place.member, place.store
    if member is None or command.brand_id not in {None, member.brand_id}:
        return MemberNotFound(member_id=command.member_id)
    if store is None:
        return StoreNotFound(store_id=command.store_id)
    if store.brand_id != member.brand_id:
        return StoreNotOfBrand(store_id=command.store_id)
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
                store_id=command.store_id,
                # Why, the books know: words may name somebody, and nothing goes from the trail.
                transfer_id=outcome.transfer_id,
                points=outcome.points,
            )
    return answers

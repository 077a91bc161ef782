"""End holds through the API: post what was sold for, or void; set-based, for the coalescer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, MemberId, RequestId, TransferId
from o2o.ledger.actions.end_holds import PostHold, Transferred, VoidHold, post_holds, void_holds
from o2o.ledger.errors import HoldNotFound
from o2o.membership.queries.owners import list_hold_owners

__all__ = ["EndHold", "Transferred", "post_holds_by_key", "void_holds_by_key"]


class EndHold(msgspec.Struct, frozen=True, kw_only=True):
    """Sell for `amount_fen` of a hold (all of it if None), or give all of it back."""

    request_id: RequestId
    hold_id: UUID
    key_id: UUID
    # Of the key; None speaks for the whole group.
    brand_id: UUID | None
    now: datetime
    amount_fen: int | None = None


async def post_holds_by_key(tx: Tx, commands: Sequence[EndHold]) -> list[Transferred | Fact]:
    """Answer each in order.

    Facts: HoldNotFound (another brand's, and what no key set aside) and those of post_holds.
    """
    members = await _members(tx, commands)
    wanted = [
        PostHold(
            request_id=c.request_id,
            member_id=members[c.hold_id],
            store_id=None,
            hold_id=TransferId(c.hold_id),
            amount_fen=c.amount_fen,
            api_key_id=APIKeyId(c.key_id),
            now=c.now,
        )
        for c in commands
        if c.hold_id in members
    ]
    outcomes = await post_holds(tx, wanted)
    return await _answered(tx, commands, members=members, outcomes=outcomes, action="hold.posted")


async def void_holds_by_key(tx: Tx, commands: Sequence[EndHold]) -> list[Transferred | Fact]:
    """Answer each in order.

    Facts: HoldNotFound (another brand's, and what no key set aside) and those of void_holds.
    """
    members = await _members(tx, commands)
    wanted = [
        VoidHold(
            request_id=c.request_id,
            member_id=members[c.hold_id],
            store_id=None,
            hold_id=TransferId(c.hold_id),
            api_key_id=APIKeyId(c.key_id),
            now=c.now,
        )
        for c in commands
        if c.hold_id in members
    ]
    outcomes = await void_holds(tx, wanted)
    return await _answered(tx, commands, members=members, outcomes=outcomes, action="hold.voided")


async def _members(tx: Tx, commands: Sequence[EndHold]) -> dict[UUID, MemberId]:
    """Whose holds these are, as far as a key made them and they are this key's brand's."""
    owners = await list_hold_owners(tx, {command.hold_id for command in commands})
    return {
        command.hold_id: owner.member_id
        for command in commands
        if (owner := owners.get(command.hold_id)) is not None
        and command.brand_id in {None, owner.brand_id}
    }


async def _answered(
    tx: Tx,
    commands: Sequence[EndHold],
    *,
    members: dict[UUID, MemberId],
    outcomes: Sequence[Transferred | Fact],
    action: str,
) -> list[Transferred | Fact]:
    ended = iter(outcomes)
    answers: list[Transferred | Fact] = []
    for command in commands:
        if command.hold_id not in members:
            answers.append(HoldNotFound(command.hold_id))
            continue
        outcome = next(ended)
        answers.append(outcome)
        if isinstance(outcome, Transferred) and not outcome.is_replay:
            await note(
                tx,
                actor=Actor("api_key", command.key_id),
                action=action,
                at=command.now,
                subject=("member", members[command.hold_id]),
                hold_id=command.hold_id,
                amount_fen=outcome.amount_fen,
            )
    return answers

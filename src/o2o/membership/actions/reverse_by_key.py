"""Reverse debits and top-ups through the API; set-based, for the coalescer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, RequestId, TransferId
from o2o.ledger.actions.reverse_transfers import (
    ReverseTransfer,
    Transferred,
    reverse_debits,
    reverse_top_ups,
)
from o2o.ledger.errors import TransferNotFound
from o2o.membership.queries.owners import TransferOwner, list_transfer_owners

__all__ = ["ReverseByKey", "Transferred", "reverse_debits_by_key", "reverse_top_ups_by_key"]


class ReverseByKey(msgspec.Struct, frozen=True, kw_only=True):
    """Take `amount_fen` of a transfer back, all that is left of it if None."""

    request_id: RequestId
    transfer_id: UUID
    reason: str
    key_id: UUID
    # Of the key; None speaks for the whole group.
    brand_id: UUID | None
    now: datetime
    amount_fen: int | None = None


async def reverse_debits_by_key(
    tx: Tx, commands: Sequence[ReverseByKey]
) -> list[Transferred | Fact]:
    """Answer each in order.

    Facts: TransferNotFound (another brand's too) and those of reverse_debits.
    """
    owners = await _owners(tx, commands)
    outcomes = await reverse_debits(tx, _wanted(commands, owners))
    return await _answered(tx, commands, owners=owners, outcomes=outcomes, action="debit.reversed")


async def reverse_top_ups_by_key(
    tx: Tx, commands: Sequence[ReverseByKey]
) -> list[Transferred | Fact]:
    """Answer each in order; amounts are of principal, the bonus goes along.

    Facts: TransferNotFound (another brand's too) and those of reverse_top_ups.
    """
    owners = await _owners(tx, commands)
    outcomes = await reverse_top_ups(tx, _wanted(commands, owners))
    return await _answered(tx, commands, owners=owners, outcomes=outcomes, action="top_up.reversed")


async def _owners(tx: Tx, commands: Sequence[ReverseByKey]) -> dict[UUID, TransferOwner]:
    """Whose transfers these are, as far as they are the key's brand's."""
    owners = await list_transfer_owners(tx, {command.transfer_id for command in commands})
    return {
        command.transfer_id: owner
        for command in commands
        if (owner := owners.get(command.transfer_id)) is not None
        and command.brand_id in {None, owner.brand_id}
    }


def _wanted(
    commands: Sequence[ReverseByKey], owners: dict[UUID, TransferOwner]
) -> list[ReverseTransfer]:
    return [
        ReverseTransfer(
            request_id=c.request_id,
            member_id=owners[c.transfer_id].member_id,
            # The store of the transfer itself, whose books it goes back into.
            store_id=None,
            transfer_id=TransferId(c.transfer_id),
            amount=c.amount_fen,
            reason=c.reason,
            api_key_id=APIKeyId(c.key_id),
            now=c.now,
        )
        for c in commands
        if c.transfer_id in owners
    ]


async def _answered(
    tx: Tx,
    commands: Sequence[ReverseByKey],
    *,
    owners: dict[UUID, TransferOwner],
    outcomes: Sequence[Transferred | Fact],
    action: str,
) -> list[Transferred | Fact]:
    reversed_ = iter(outcomes)
    answers: list[Transferred | Fact] = []
    for command in commands:
        if command.transfer_id not in owners:
            answers.append(TransferNotFound(command.transfer_id))
            continue
        outcome = next(reversed_)
        answers.append(outcome)
        if isinstance(outcome, Transferred) and not outcome.is_replay:
            await note(
                tx,
                actor=Actor("api_key", command.key_id),
                action=action,
                at=command.now,
                subject=("member", owners[command.transfer_id].member_id),
                transfer_id=command.transfer_id,
                # Why, the books know: words may name somebody, and nothing goes from the trail.
                reversal_id=outcome.transfer_id,
                amount_fen=outcome.amount_fen,
            )
    return answers

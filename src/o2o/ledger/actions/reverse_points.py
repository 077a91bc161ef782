"""Reverse points: earned ones are taken back as far as they are there, spent ones given back."""

from collections.abc import Sequence
from functools import partial

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.ledger.actions.announce_outcomes import announce_outcomes
from o2o.ledger.actions.grant_points import PointsMoved, points_moved
from o2o.ledger.actions.open_reversals import (
    Reversals,
    ReverseTransfer,
    Undoing,
    open_reversals,
    reversal_asked,
)
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import AlreadySpent
from o2o.ledger.events import PointsReversed
from o2o.ledger.journal import Done, Journal, Posting, Reverses
from o2o.ledger.rules.draw import DrawOrder, draw

_KINDS = (TransferKind.POINTS_EARNED, TransferKind.POINTS_SPENT)

__all__ = ["PointsMoved", "ReverseTransfer", "reverse_points"]


async def reverse_points(tx: Tx, commands: Sequence[ReverseTransfer]) -> list[PointsMoved | Fact]:
    """Answer each command in order with how many points moved.

    Points that were earned are taken from their own lot first, then from the others, oldest first;
    where fewer are left than are asked for, those that are left are taken, and the rest stays open
    for another reversal. Points that were spent go back to the very lots they came from, which may
    have ended: then the next sweep takes them.

    Facts: AmountOutOfRange, AccountNotFound, TransferNotFound, NotReversible, AlreadyReversed,
    AlreadySpent, RequestBodyDiffers. Publishes points.reversed.
    """
    reversals = await open_reversals(tx, commands, pocket_kind=AccountKind.MEMBER_POINTS)
    journal = reversals.journal
    outcomes = journal.decide_each(
        commands, asked=reversal_asked, decide=partial(_reverse, reversals=reversals)
    )
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, reversals))
    return [one if isinstance(one, Fact) else points_moved(one) for one in outcomes]


def _reverse(
    journal: Journal, command: ReverseTransfer, asked: bytes, *, reversals: Reversals
) -> Done:
    undoing = reversals.check(command, asked, kinds=_KINDS)
    if undoing.subject.kind is TransferKind.POINTS_SPENT:
        given = reversals.give_back(undoing, kind=TransferKind.POINTS_SPENT_REVERSED)
        posting, balance_after = given.posting, given.balance_after
    else:
        posting = _take_back(reversals, journal, undoing)
        balance_after = undoing.pocket.balance
    return Done(
        transfer_id=posting.transfer_id,
        asked=asked,
        amount=posting.amount,
        principal=0,
        bonus=0,
        balance_after=balance_after,
    )


def _take_back(reversals: Reversals, journal: Journal, undoing: Undoing) -> Posting:
    pocket, subject = undoing.pocket, undoing.subject
    own = reversals.lots_of(pocket, subject.id)
    others = [lot for lot in pocket.lots if lot not in own]
    there = min(undoing.amount, pocket.balance)
    if there == 0:
        raise AlreadySpent(left=0)
    subject.reversed += there
    return journal.move(
        undoing.command,
        asked=undoing.asked,
        kind=TransferKind.POINTS_EARNED_REVERSED,
        source=pocket,
        target=subject.counterpart_id,
        draws=draw([*own, *others], there, order=DrawOrder.OLDEST_FIRST),
        reverses=Reverses(transfer_id=subject.id, amount=subject.amount),
        store_id=subject.store_id,
    )


def _event(reversals: Reversals, command: ReverseTransfer, done: Done) -> PointsReversed:
    subject, pocket = reversals.subjects[command.transfer_id], reversals.pocket_of(command)
    is_loss = subject.kind is TransferKind.POINTS_EARNED
    return PointsReversed(
        transfer_id=done.transfer_id,
        reverses_id=subject.id,
        member_id=pocket.member_id,
        brand_id=pocket.brand_id,
        store_id=reversals.store_of(command),
        points=-done.amount if is_loss else done.amount,
        points_balance=done.balance_after,
        at=command.now,
    )

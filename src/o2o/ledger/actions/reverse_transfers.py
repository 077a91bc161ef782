"""Reverse transfers of stored value: a sale that was undone, a top-up that was a mistake."""

from collections.abc import Sequence
from functools import partial

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.ledger.actions.announce_outcomes import announce_outcomes
from o2o.ledger.actions.debit_stored_value import Transferred, transferred
from o2o.ledger.actions.open_reversals import (
    Reversals,
    ReverseTransfer,
    Undoing,
    open_reversals,
    reversal_asked,
)
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.actions.reverse_points import reverse_points
from o2o.ledger.errors import AlreadySpent
from o2o.ledger.events import StoredValueDebitReversed, StoredValueTopUpReversed
from o2o.ledger.journal import Done, Journal, Reverses
from o2o.ledger.rules.draw import DrawOrder, Lot, draw
from o2o.ledger.rules.returns import bonus_due

__all__ = [
    "ReverseTransfer",
    "Transferred",
    "reverse_debits",
    "reverse_points",
    "reverse_top_ups",
]

_SALES = (TransferKind.DEBIT, TransferKind.HOLD_POSTED)


async def reverse_debits(tx: Tx, commands: Sequence[ReverseTransfer]) -> list[Transferred | Fact]:
    """Give debits, or posted holds, back to the very lots they came from; answer each in order.

    Facts: AmountOutOfRange, AccountNotFound, TransferNotFound, NotReversible, AlreadyReversed,
    RequestBodyDiffers. Publishes stored_value.debit_reversed.
    """
    reversals = await open_reversals(tx, commands, pocket_kind=AccountKind.MEMBER_STORED_VALUE)
    journal = reversals.journal
    outcomes = journal.decide_each(
        commands, asked=reversal_asked, decide=partial(_give_back, reversals=reversals)
    )
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_debit_reversed, reversals))
    return [one if isinstance(one, Fact) else transferred(one) for one in outcomes]


async def reverse_top_ups(tx: Tx, commands: Sequence[ReverseTransfer]) -> list[Transferred | Fact]:
    """Take top-ups back out of the lots they made, the bonus along with them; answer each in order.

    `transfer_id` of a command is that of the principal, `amount` of principal; the bonus goes in
    proportion. Facts: AmountOutOfRange, AccountNotFound, TransferNotFound, NotReversible,
    AlreadyReversed, AlreadySpent, RequestBodyDiffers. Publishes stored_value.top_up_reversed.
    """
    reversals = await open_reversals(tx, commands, pocket_kind=AccountKind.MEMBER_STORED_VALUE)
    journal = reversals.journal
    outcomes = journal.decide_each(
        commands, asked=reversal_asked, decide=partial(_take_back, reversals=reversals)
    )
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_top_up_reversed, reversals))
    return [one if isinstance(one, Fact) else transferred(one) for one in outcomes]


def _give_back(_: Journal, command: ReverseTransfer, asked: bytes, *, reversals: Reversals) -> Done:
    undoing = reversals.check(command, asked, kinds=_SALES)
    given = reversals.give_back(undoing, kind=TransferKind.DEBIT_REVERSED)
    return Done(
        transfer_id=given.posting.transfer_id,
        asked=asked,
        amount=undoing.amount,
        principal=undoing.amount - given.bonus,
        bonus=given.bonus,
        balance_after=given.balance_after,
    )


def _take_back(
    journal: Journal, command: ReverseTransfer, asked: bytes, *, reversals: Reversals
) -> Done:
    undoing = reversals.check(command, asked, kinds=(TransferKind.TOP_UP,))
    subject, pocket, amount = undoing.subject, undoing.pocket, undoing.amount
    due = bonus_due(
        bonus=subject.bonus_amount,
        amount=subject.amount,
        reversed_after=subject.reversed + amount,
    )
    bonus = due - subject.bonus_reversed
    principal_lots = _enough(reversals.lots_of(pocket, subject.id), amount)
    bonus_lots = _enough(reversals.lots_of(pocket, subject.bonus_id), bonus)
    posting = journal.move(
        command,
        asked=asked,
        kind=TransferKind.TOP_UP_REVERSED,
        source=pocket,
        target=subject.counterpart_id,
        draws=draw(principal_lots, amount, order=DrawOrder.OLDEST_FIRST),
        tender=subject.tender,
        reverses=Reverses(transfer_id=subject.id, amount=subject.amount),
        store_id=subject.store_id,
    )
    if bonus:
        _take_bonus_back(journal, undoing, lots=bonus_lots, bonus=bonus)
    subject.reversed += amount
    subject.bonus_reversed += bonus
    return Done(
        transfer_id=posting.transfer_id,
        asked=asked,
        amount=amount + bonus,
        principal=amount,
        bonus=bonus,
        balance_after=pocket.balance,
    )


def _take_bonus_back(
    journal: Journal, undoing: Undoing, *, lots: Sequence[Lot], bonus: int
) -> None:
    subject = undoing.subject
    assert subject.bonus_id is not None
    assert subject.bonus_counterpart_id is not None
    journal.move(
        undoing.command,
        asked=undoing.asked,
        kind=TransferKind.TOP_UP_BONUS_REVERSED,
        source=undoing.pocket,
        target=subject.bonus_counterpart_id,
        draws=draw(lots, bonus, order=DrawOrder.OLDEST_FIRST),
        part=1,
        reverses=Reverses(transfer_id=subject.bonus_id, amount=subject.bonus_amount),
        store_id=subject.store_id,
    )


def _enough(lots: Sequence[Lot], amount: int) -> Sequence[Lot]:
    there = sum(lot.remaining for lot in lots)
    if there < amount:
        raise AlreadySpent(left=there)
    return lots


def _debit_reversed(
    reversals: Reversals, command: ReverseTransfer, done: Done
) -> StoredValueDebitReversed:
    subject, pocket = reversals.subjects[command.transfer_id], reversals.pocket_of(command)
    return StoredValueDebitReversed(
        transfer_id=done.transfer_id,
        reverses_id=subject.id,
        debited_fen=subject.amount,
        reversed_fen=subject.reversed,
        member_id=pocket.member_id,
        brand_id=pocket.brand_id,
        store_id=reversals.store_of(command),
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        at=command.now,
    )


def _top_up_reversed(
    reversals: Reversals, command: ReverseTransfer, done: Done
) -> StoredValueTopUpReversed:
    pocket = reversals.pocket_of(command)
    return StoredValueTopUpReversed(
        transfer_id=done.transfer_id,
        reverses_id=command.transfer_id,
        member_id=pocket.member_id,
        brand_id=pocket.brand_id,
        store_id=reversals.store_of(command),
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        at=command.now,
    )

"""Refund stored value: the member gets unspent principal back; the bonus with it is given up."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from o2o.crm.statuses import AccountKind, LotKind, Tender, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, StoreId, TransferId
from o2o.ledger.actions.announce_outcomes import announce_outcomes
from o2o.ledger.actions.debit_stored_value import Transferred, transferred
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import NothingToRefund, RefundTooLate, TransferNotFound
from o2o.ledger.events import StoredValueRefunded
from o2o.ledger.journal import Done, Intention, Journal
from o2o.ledger.queries.books import lock_books
from o2o.ledger.queries.refunds import RefundLine, quote_refunds
from o2o.ledger.rules.draw import DrawOrder, Lot, draw

__all__ = ["RefundStoredValue", "Transferred", "refund_stored_value"]


class RefundStoredValue(Intention, frozen=True, kw_only=True):
    """Pay back what is left of the principal of a top-up, or of the whole card if None.

    With `within_days` only what came in since then counts, as the law on refunds without a reason
    has it: a single top-up that is older is refused, of the whole card it stays where it is.
    """

    store_id: StoreId
    top_up_id: TransferId | None
    tender: Tender
    within_days: int | None


Lines = dict[MemberId, list[RefundLine]]


async def refund_stored_value(
    tx: Tx, commands: Sequence[RefundStoredValue]
) -> list[Transferred | Fact]:
    """Answer each command in order: `principal_fen` is paid out, `bonus_fen` is given up.

    A whole card that holds nothing but bonus gives that up. Facts: AccountNotFound,
    TransferNotFound, NothingToRefund, RefundTooLate, RequestBodyDiffers. Publishes
    stored_value.refunded.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        counterpart_kinds=[AccountKind.STORE_TAKINGS, AccountKind.STORE_BONUS],
        with_lots=True,
    )
    # One statement per member: refunds are rare, and come one at a time.
    lines: Lines = {
        command.member_id: (await quote_refunds(tx, command.member_id, now=command.now)).lines
        for command in commands
    }
    outcomes = journal.decide_each(commands, asked=_asked, decide=partial(_refund, lines=lines))
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, journal))
    return [one if isinstance(one, Fact) else transferred(one) for one in outcomes]


def _asked(command: RefundStoredValue) -> bytes:
    return body_hash(
        "refund_stored_value",
        command.member_id,
        command.store_id,
        command.top_up_id,
        command.tender,
        command.within_days,
        command.reason,
    )


def _refund(journal: Journal, command: RefundStoredValue, asked: bytes, *, lines: Lines) -> Done:
    pocket = journal.pocket(command.member_id)
    takings = journal.counterpart(pocket, command.store_id, AccountKind.STORE_TAKINGS)
    given = journal.counterpart(pocket, command.store_id, AccountKind.STORE_BONUS)
    lot_ids = {lot for line in _lines(command, lines[command.member_id]) for lot in line.lot_ids}
    # From the journal, not from the quote: an earlier command of the batch may have had them.
    lots = [lot for lot in pocket.lots if lot.id in lot_ids]
    principal = [lot for lot in lots if lot.kind is LotKind.PRINCIPAL]
    bonus = [lot for lot in lots if lot.kind is LotKind.BONUS]
    if not lots or (command.top_up_id is not None and not principal):
        raise NothingToRefund
    moves = [
        (TransferKind.REFUND, takings, principal, command.tender),
        (TransferKind.BONUS_FORFEITED, given, bonus, None),
    ]
    postings = [
        journal.move(
            command,
            asked=asked,
            kind=kind,
            source=pocket,
            target=target,
            draws=draw(from_lots, _held(from_lots), order=DrawOrder.OLDEST_FIRST),
            part=part,
            tender=tender,
        )
        for part, (kind, target, from_lots, tender) in enumerate(m for m in moves if m[2])
    ]
    return Done(
        transfer_id=postings[0].transfer_id,
        asked=asked,
        amount=_held(lots),
        principal=_held(principal),
        bonus=_held(bonus),
        balance_after=pocket.balance,
    )


def _lines(command: RefundStoredValue, lines: Sequence[RefundLine]) -> list[RefundLine]:
    """Return the top-ups that are meant. Raises TransferNotFound, RefundTooLate."""
    meant = [line for line in lines if command.top_up_id in {None, line.top_up_id}]
    if not meant and command.top_up_id is not None:
        raise TransferNotFound(command.top_up_id)
    if command.within_days is None:
        return meant
    term = timedelta(days=command.within_days)
    in_time = [line for line in meant if command.now < line.at + term]
    if meant and not in_time:
        raise RefundTooLate(until=max(line.at for line in meant) + term)
    return in_time


def _held(lots: Sequence[Lot]) -> int:
    return sum(lot.remaining for lot in lots)


def _event(journal: Journal, command: RefundStoredValue, done: Done) -> StoredValueRefunded:
    return StoredValueRefunded(
        transfer_id=done.transfer_id,
        top_up_id=command.top_up_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=command.store_id,
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        at=command.now,
    )

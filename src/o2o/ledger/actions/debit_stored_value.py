"""Debit stored value: a member pays with the card; principal and bonus leave it together."""

from collections.abc import Sequence
from functools import partial

import msgspec

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import StoreId, TransferId
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import InsufficientBalance
from o2o.ledger.events import StoredValueDebited
from o2o.ledger.journal import Done, Intention, Journal
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.draw import DrawOrder, draw
from o2o.ledger.rules.limits import check_amount

__all__ = ["DebitStoredValue", "DrawOrder", "Transferred", "debit_stored_value", "transferred"]


class DebitStoredValue(Intention, frozen=True, kw_only=True):
    """Take `amount_fen` from a member's card for what was sold in a store."""

    store_id: StoreId
    amount_fen: int


class Transferred(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the card; of a repeated request, what happened the first time."""

    transfer_id: TransferId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    # What the card held right after.
    balance_fen: int
    is_replay: bool


async def debit_stored_value(
    tx: Tx,
    commands: Sequence[DebitStoredValue],
    *,
    order: DrawOrder = DrawOrder.PROPORTIONAL,
    is_announced: bool = True,
) -> list[Transferred | Fact]:
    """Answer each command in order; several on one card see each other's effect.

    Facts: AmountOutOfRange, AccountNotFound, InsufficientBalance, RequestBodyDiffers. Publishes
    stored_value.debited, unless `is_announced` is off because the past is being entered. At most
    seven statements, whatever the number of commands.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        counterpart_kinds=[AccountKind.STORE_SALES],
        with_lots=True,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=partial(_debit, order=order))
    await post_transfers(tx, journal)
    events = [
        _event(journal, command, outcome)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Done) and not outcome.is_replay
    ]
    if events and is_announced:
        await publish(tx, *events, now=max(event.at for event in events))
    return [outcome if isinstance(outcome, Fact) else transferred(outcome) for outcome in outcomes]


def transferred(done: Done) -> Transferred:
    """Tell what was done in the words of stored value."""
    return Transferred(
        transfer_id=done.transfer_id,
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        is_replay=done.is_replay,
    )


def _asked(command: DebitStoredValue) -> bytes:
    # What happens to the money, not through whom: a clerk who scans the member once more and sends
    # again what got no answer has the same intention, in another visit.
    return body_hash(
        "debit_stored_value",
        command.member_id,
        command.store_id,
        command.amount_fen,
        command.reason,
    )


def _debit(journal: Journal, command: DebitStoredValue, asked: bytes, *, order: DrawOrder) -> Done:
    check_amount(command.amount_fen, field="amount_fen")
    pocket = journal.pocket(command.member_id)
    sales = journal.counterpart(pocket, command.store_id, AccountKind.STORE_SALES)
    if pocket.balance < command.amount_fen:
        raise InsufficientBalance(balance_fen=pocket.balance)
    return journal.take(
        command,
        asked=asked,
        kind=TransferKind.DEBIT,
        pocket=pocket,
        to_account_id=sales,
        draws=draw(pocket.lots, command.amount_fen, order=order),
    )


def _event(journal: Journal, command: DebitStoredValue, done: Done) -> StoredValueDebited:
    return StoredValueDebited(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=command.store_id,
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        at=command.now,
    )

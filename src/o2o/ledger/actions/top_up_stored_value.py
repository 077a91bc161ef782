"""Top up stored value: money comes in over the counter, the house may add a bonus."""

from collections.abc import Sequence

import msgspec

from o2o.crm.statuses import AccountKind, LotKind, Tender, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import LotId, StoreId, new_id
from o2o.ledger.actions.debit_stored_value import Transferred, transferred
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.events import StoredValueToppedUp
from o2o.ledger.journal import Done, Intention, Journal, NewLot
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.limits import check_amount, check_room, prepaid_limit_fen

__all__ = ["TopUpStoredValue", "Transferred", "prepaid_limit_fen", "top_up_stored_value"]


class TopUpStoredValue(Intention, frozen=True, kw_only=True):
    """Put `principal_fen` that was paid, and `bonus_fen` that is given, onto a member's card."""

    store_id: StoreId
    principal_fen: int
    bonus_fen: int
    tender: Tender
    # What the card may hold afterwards, see prepaid_limit_fen().
    balance_fen_max: int


async def top_up_stored_value(
    tx: Tx, commands: Sequence[TopUpStoredValue], *, is_announced: bool = True
) -> list[Transferred | Fact]:
    """Answer each command in order; `transfer_id` is that of the principal.

    Facts: AmountOutOfRange, AccountNotFound, BalanceLimitExceeded, RequestBodyDiffers. Publishes
    stored_value.topped_up, unless `is_announced` is off because the past is being entered. At most
    six statements, whatever the number of commands.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        counterpart_kinds=[AccountKind.STORE_TAKINGS, AccountKind.STORE_BONUS],
        with_lots=False,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_top_up)
    await post_transfers(tx, journal)
    events = [
        _event(journal, command, outcome)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Done) and not outcome.is_replay
    ]
    if events and is_announced:
        await publish(tx, *events, now=max(event.at for event in events))
    return [outcome if isinstance(outcome, Fact) else transferred(outcome) for outcome in outcomes]


def _asked(command: TopUpStoredValue) -> bytes:
    return body_hash(
        "top_up_stored_value",
        command.member_id,
        command.store_id,
        command.principal_fen,
        command.bonus_fen,
        command.tender,
        command.reason,
    )


def _top_up(journal: Journal, command: TopUpStoredValue, asked: bytes) -> Done:
    check_amount(command.principal_fen, field="principal_fen")
    check_amount(command.bonus_fen, field="bonus_fen", amount_min=0)
    pocket = journal.pocket(command.member_id)
    takings = journal.counterpart(pocket, command.store_id, AccountKind.STORE_TAKINGS)
    bonus_account = journal.counterpart(pocket, command.store_id, AccountKind.STORE_BONUS)
    check_room(
        balance_fen=pocket.balance,
        added_fen=command.principal_fen + command.bonus_fen,
        limit_fen=command.balance_fen_max,
    )
    done = journal.put(
        command,
        asked=asked,
        kind=TransferKind.TOP_UP,
        pocket=pocket,
        from_account_id=takings,
        lot=NewLot(id=LotId(new_id()), kind=LotKind.PRINCIPAL, amount=command.principal_fen),
        tender=command.tender,
    )
    if command.bonus_fen == 0:
        return done
    bonus = journal.put(
        command,
        asked=asked,
        kind=TransferKind.TOP_UP_BONUS,
        pocket=pocket,
        from_account_id=bonus_account,
        lot=NewLot(id=LotId(new_id()), kind=LotKind.BONUS, amount=command.bonus_fen),
        part=1,
    )
    return msgspec.structs.replace(
        done,
        amount=done.amount + bonus.amount,
        bonus=bonus.bonus,
        balance_after=bonus.balance_after,
    )


def _event(journal: Journal, command: TopUpStoredValue, done: Done) -> StoredValueToppedUp:
    return StoredValueToppedUp(
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

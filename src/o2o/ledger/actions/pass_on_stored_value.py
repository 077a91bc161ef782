"""Pass stored value on: a member gives to another what keeps its origin, kind and age."""

from collections.abc import Sequence
from functools import partial

import msgspec

from o2o.crm.statuses import AccountKind, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, TransferId
from o2o.ledger.actions.announce_outcomes import announce_outcomes
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import AccountNotFound, InsufficientBalance, PassedOnToSelf
from o2o.ledger.events import StoredValuePassedOn
from o2o.ledger.journal import Done, Intention, Journal, child_lots
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.draw import DrawOrder, draw, drawn_of
from o2o.ledger.rules.limits import check_amount, check_room

__all__ = ["DrawOrder", "PassOnStoredValue", "PassedOn", "pass_on_stored_value"]


class PassOnStoredValue(Intention, frozen=True, kw_only=True):
    """Give `amount_fen` from the card of `member_id` to that of `to_member_id`."""

    to_member_id: MemberId
    amount_fen: int
    # What the receiver's card may hold afterwards, see prepaid_limit_fen().
    balance_fen_max: int


class PassedOn(msgspec.Struct, frozen=True, kw_only=True):
    """What was given; of a repeated request, what was the first time."""

    transfer_id: TransferId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    # What the giver's card held right after.
    balance_fen: int
    is_replay: bool


async def pass_on_stored_value(
    tx: Tx, commands: Sequence[PassOnStoredValue], *, order: DrawOrder = DrawOrder.PROPORTIONAL
) -> list[PassedOn | Fact]:
    """Answer each command in order; what was received may be passed on in the same batch.

    Facts: AmountOutOfRange, AccountNotFound (also for a member of another brand), PassedOnToSelf,
    InsufficientBalance, BalanceLimitExceeded (the receiver's), RequestBodyDiffers. Publishes
    stored_value.passed_on.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        counterpart_kinds=[AccountKind.STORE_SALES],
        with_lots=True,
        more_member_ids=[command.to_member_id for command in commands],
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=partial(_pass_on, order=order))
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, journal))
    return [one if isinstance(one, Fact) else _passed_on(one) for one in outcomes]


def _asked(command: PassOnStoredValue) -> bytes:
    return body_hash(
        "pass_on_stored_value",
        command.member_id,
        command.to_member_id,
        command.store_id,
        command.amount_fen,
        command.reason,
    )


def _pass_on(
    journal: Journal, command: PassOnStoredValue, asked: bytes, *, order: DrawOrder
) -> Done:
    check_amount(command.amount_fen, field="amount_fen")
    if command.member_id == command.to_member_id:
        raise PassedOnToSelf
    giver = journal.pocket(command.member_id)
    receiver = journal.pocket(command.to_member_id)
    if receiver.brand_id != giver.brand_id:
        raise AccountNotFound(owner="member", owner_id=command.to_member_id)
    journal.check_store(giver, command.store_id)
    if giver.balance < command.amount_fen:
        raise InsufficientBalance(balance_fen=giver.balance)
    check_room(
        balance_fen=receiver.balance,
        added_fen=command.amount_fen,
        limit_fen=command.balance_fen_max,
    )
    draws = draw(giver.lots, command.amount_fen, order=order)
    posting = journal.move(
        command,
        asked=asked,
        kind=TransferKind.PASSED_ON,
        source=giver,
        target=receiver,
        draws=draws,
        lots=child_lots(giver.lots, draws),
    )
    return Done(
        transfer_id=posting.transfer_id,
        asked=asked,
        amount=posting.amount,
        principal=drawn_of(draws, LotKind.PRINCIPAL),
        bonus=drawn_of(draws, LotKind.BONUS),
        balance_after=giver.balance,
    )


def _passed_on(done: Done) -> PassedOn:
    return PassedOn(
        transfer_id=done.transfer_id,
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        is_replay=done.is_replay,
    )


def _event(journal: Journal, command: PassOnStoredValue, done: Done) -> StoredValuePassedOn:
    return StoredValuePassedOn(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        to_member_id=command.to_member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        at=command.now,
    )

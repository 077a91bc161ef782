"""Hold stored value: an amount is set aside on a card until it is posted, voided or expires."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.ids import StoreId, TransferId
from o2o.ledger.actions.announce_outcomes import announce_outcomes, new_work
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import HoldTooLong, InsufficientBalance
from o2o.ledger.events import StoredValueHeld
from o2o.ledger.journal import Done, Intention, Journal, Pocket
from o2o.ledger.queries.books import lock_books
from o2o.ledger.queries.holds import read_held_pockets, read_holds
from o2o.ledger.rules.draw import DrawOrder, draw
from o2o.ledger.rules.limits import check_amount

__all__ = ["HOLD_DAYS_MAX", "DrawOrder", "Held", "HoldStoredValue", "hold_stored_value"]

# Set aside for longer than this is forgotten, not meant.
HOLD_DAYS_MAX = 30

_OPEN_HELD = text(
    "INSERT INTO ledger_accounts (id, brand_id, kind, asset, owner_id, balance, created_at)"
    " SELECT id, brand_id, 'member_held', 'cny_fen', owner_id, 0, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:brand_ids AS uuid[]), CAST(:owner_ids AS uuid[]))"
    " AS a(id, brand_id, owner_id) ORDER BY owner_id"
)

_INSERT_HOLDS = text(
    "INSERT INTO ledger_holds (id, account_id, amount, status, draw_order, created_at, expires_at)"
    " SELECT id, account_id, amount, 'pending', :draw_order, created_at, expires_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:account_ids AS uuid[]), CAST(:amounts AS bigint[]),"
    " CAST(:created_ats AS timestamptz[]), CAST(:expires_ats AS timestamptz[]))"
    " AS h(id, account_id, amount, created_at, expires_at)"
)


class HoldStoredValue(Intention, frozen=True, kw_only=True):
    """Set `amount_fen` aside on a member's card, for a store, until `expires_at` (exclusive)."""

    store_id: StoreId
    amount_fen: int
    expires_at: datetime


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What was set aside; of a repeated request, what was the first time."""

    hold_id: TransferId
    amount_fen: int
    # What the card held beside it, right after.
    balance_fen: int
    expires_at: datetime
    is_replay: bool


async def hold_stored_value(
    tx: Tx, commands: Sequence[HoldStoredValue], *, order: DrawOrder = DrawOrder.PROPORTIONAL
) -> list[Held | Fact]:
    """Answer each command in order. What is set aside cannot be spent otherwise.

    Facts: AmountOutOfRange, HoldTooLong, AccountNotFound, InsufficientBalance, RequestBodyDiffers.
    Publishes stored_value.held.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        counterpart_kinds=[AccountKind.STORE_SALES],
        with_lots=True,
    )
    unopened = await read_held_pockets(tx, journal)
    outcomes = journal.decide_each(commands, asked=_asked, decide=partial(_hold, order=order))
    await _open_held(tx, unopened, now=max((c.now for c in commands), default=None))
    await post_transfers(tx, journal)
    await _insert_holds(tx, journal, new_work(commands, outcomes), order=order)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, journal))
    return await _results(tx, commands, outcomes)


def _asked(command: HoldStoredValue) -> bytes:
    # How long, not the end: who sends the same again some seconds later asks for an end some
    # seconds later.
    return body_hash(
        "hold_stored_value",
        command.member_id,
        command.store_id,
        command.amount_fen,
        command.expires_at - command.now,
        command.reason,
    )


def _hold(journal: Journal, command: HoldStoredValue, asked: bytes, *, order: DrawOrder) -> Done:
    check_amount(command.amount_fen, field="amount_fen")
    if not command.now < command.expires_at <= command.now + timedelta(days=HOLD_DAYS_MAX):
        raise HoldTooLong(days_max=HOLD_DAYS_MAX)
    card = journal.pocket(command.member_id)
    journal.check_store(card, command.store_id)
    if card.balance < command.amount_fen:
        raise InsufficientBalance(balance_fen=card.balance)
    posting = journal.move(
        command,
        asked=asked,
        kind=TransferKind.HELD,
        source=card,
        target=journal.pocket(command.member_id, AccountKind.MEMBER_HELD),
        draws=draw(card.lots, command.amount_fen, order=order),
    )
    return Done(
        transfer_id=posting.transfer_id,
        asked=asked,
        amount=posting.amount,
        principal=0,
        bonus=0,
        balance_after=card.balance,
    )


async def _open_held(tx: Tx, unopened: Sequence[Pocket], *, now: datetime | None) -> None:
    wanted = [pocket for pocket in unopened if pocket.is_touched]
    if not wanted:
        return
    await tx.execute(
        _OPEN_HELD,
        {
            "now": now,
            "ids": [pocket.account_id for pocket in wanted],
            "brand_ids": [pocket.brand_id for pocket in wanted],
            "owner_ids": [pocket.member_id for pocket in wanted],
        },
    )


async def _insert_holds(
    tx: Tx, journal: Journal, work: Sequence[tuple[HoldStoredValue, Done]], *, order: DrawOrder
) -> None:
    if not work:
        return
    await tx.execute(
        _INSERT_HOLDS,
        {
            "draw_order": order.value,
            "ids": [done.transfer_id for _, done in work],
            "account_ids": [
                journal.pocket(command.member_id, AccountKind.MEMBER_HELD).account_id
                for command, _ in work
            ],
            "amounts": [done.amount for _, done in work],
            "created_ats": [command.now for command, _ in work],
            "expires_ats": [command.expires_at for command, _ in work],
        },
    )


async def _results(
    tx: Tx, commands: Sequence[HoldStoredValue], outcomes: Sequence[Done | Fact]
) -> list[Held | Fact]:
    repeated = [one.transfer_id for one in outcomes if isinstance(one, Done) and one.is_replay]
    holds = await read_holds(tx, repeated) if repeated else {}
    results: list[Held | Fact] = []
    for command, outcome in zip(commands, outcomes, strict=True):
        if isinstance(outcome, Fact):
            results.append(outcome)
            continue
        earlier = holds.get(outcome.transfer_id)
        results.append(
            Held(
                hold_id=outcome.transfer_id,
                amount_fen=outcome.amount,
                balance_fen=outcome.balance_after,
                expires_at=earlier.expires_at if earlier else command.expires_at,
                is_replay=outcome.is_replay,
            )
        )
    return results


def _event(journal: Journal, command: HoldStoredValue, done: Done) -> StoredValueHeld:
    return StoredValueHeld(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=command.store_id,
        amount_fen=done.amount,
        balance_fen=done.balance_after,
        expires_at=command.expires_at,
        at=command.now,
    )

"""End holds: post what is sold for, void what is not wanted any more, expire what is over.

Under the lock of the member's stored value exactly one of them gets the hold; without the lock the
conditional update of the hold's row would stop the later one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AccountKind, HoldStatus, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.ids import TransferId, new_request_id
from o2o.ledger.actions.announce_outcomes import announce_outcomes, new_work
from o2o.ledger.actions.debit_stored_value import Transferred, transferred
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import AmountOutOfRange, BooksOutOfStep, HoldEnded, HoldNotFound
from o2o.ledger.events import StoredValueDebited, StoredValueReleased
from o2o.ledger.journal import Done, Intention, Journal, LotReturn
from o2o.ledger.moves import HOLD_MOVES
from o2o.ledger.queries.books import lock_books
from o2o.ledger.queries.holds import HoldRow, list_due_holds, read_held_pockets, read_holds
from o2o.ledger.rules.draw import Draw, Lot, draw, drawn_of, lots_after

__all__ = ["PostHold", "Transferred", "VoidHold", "expire_holds", "post_holds", "void_holds"]

# A hold ends once, whoever ends it.
_END_HOLDS = text(
    "UPDATE ledger_holds h SET status = e.status, posted = e.posted, posted_id = e.posted_id,"
    " released_id = e.released_id, ended_at = e.ended_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:posted AS bigint[]),"
    " CAST(:posted_ids AS uuid[]), CAST(:released_ids AS uuid[]),"
    " CAST(:ended_ats AS timestamptz[]))"
    " AS e(id, status, posted, posted_id, released_id, ended_at)"
    " WHERE h.id = e.id AND h.status = ANY(CAST(:sources AS text[]))"
)


class VoidHold(Intention, frozen=True, kw_only=True):
    """Give back what was set aside. `store_id`, where given, must be the hold's."""

    hold_id: TransferId


class PostHold(VoidHold, frozen=True, kw_only=True):
    """Sell for `amount_fen` of a hold, all of it if None; the rest goes back onto the card."""

    amount_fen: int | None = None


class _ExpireHold(VoidHold, frozen=True, kw_only=True):
    """Give back what was set aside for longer than was meant."""


C = TypeVar("C", bound=VoidHold)
Decide = Callable[..., Done]


async def post_holds(tx: Tx, commands: Sequence[PostHold]) -> list[Transferred | Fact]:
    """Answer each command in order with what was sold for; `transfer_id` is that of the sale.

    Facts: AmountOutOfRange, HoldNotFound, HoldEnded, RequestBodyDiffers. Publishes
    stored_value.debited: a posted hold is a debit for everybody else.
    """
    journal, holds, outcomes = await _end(tx, commands, decide=_post)
    await announce_outcomes(
        tx, commands, outcomes, event_of=lambda c, d: _debited(journal, c, d, hold=holds[c.hold_id])
    )
    return [one if isinstance(one, Fact) else transferred(one) for one in outcomes]


async def void_holds(tx: Tx, commands: Sequence[VoidHold]) -> list[Transferred | Fact]:
    """Answer each command in order with what went back onto the card.

    Facts: HoldNotFound, HoldEnded, RequestBodyDiffers. Publishes stored_value.released.
    """
    journal, holds, outcomes = await _end(tx, commands, decide=_void)
    await announce_outcomes(
        tx,
        commands,
        outcomes,
        event_of=lambda c, d: _released(journal, c, d, hold=holds[c.hold_id]),
    )
    return [one if isinstance(one, Fact) else transferred(one) for one in outcomes]


async def expire_holds(tx: Tx, *, now: datetime, limit: int) -> int:
    """Give back up to `limit` holds that are over; return how many. Publishes likewise.

    Members who are being served are passed over until the next time.
    """
    commands = [
        _ExpireHold(
            request_id=new_request_id(),
            member_id=member_id,
            store_id=None,
            now=now,
            hold_id=hold_id,
        )
        for hold_id, member_id in await list_due_holds(tx, now=now, limit=limit)
    ]
    if not commands:
        return 0
    journal, holds, outcomes = await _end(tx, commands, decide=_void, is_waiting=False)
    await announce_outcomes(
        tx,
        commands,
        outcomes,
        event_of=lambda c, d: _released(journal, c, d, hold=holds[c.hold_id]),
    )
    return len(new_work(commands, outcomes))


async def _end(
    tx: Tx, commands: Sequence[C], *, decide: Decide, is_waiting: bool = True
) -> tuple[Journal, dict[TransferId, HoldRow], list[Done | Fact]]:
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        counterpart_kinds=[],
        with_lots=False,
        is_waiting=is_waiting,
    )
    await read_held_pockets(tx, journal)
    holds = await read_holds(tx, [command.hold_id for command in commands])

    def decide_one(journal: Journal, command: C, asked: bytes) -> Done:
        card = journal.pocket(command.member_id)
        hold = holds.get(command.hold_id)
        if hold is None or hold.member_id != card.member_id:
            raise HoldNotFound(command.hold_id)
        if command.store_id not in {None, hold.store_id}:
            raise HoldNotFound(command.hold_id)
        return decide(journal, command, asked, hold=hold)

    outcomes = journal.decide_each(commands, asked=_asked, decide=decide_one)
    await post_transfers(tx, journal)
    done = new_work(commands, outcomes)
    await _write_ends(tx, [(holds[command.hold_id], command.now) for command, _ in done])
    told = [
        _told(holds[command.hold_id], outcome) if isinstance(outcome, Done) else outcome
        for command, outcome in zip(commands, outcomes, strict=True)
    ]
    return journal, holds, told


def _asked(command: VoidHold) -> bytes:
    amount = command.amount_fen if isinstance(command, PostHold) else None
    return body_hash(
        type(command).__name__, command.member_id, command.hold_id, amount, command.reason
    )


def _post(journal: Journal, command: PostHold, asked: bytes, *, hold: HoldRow) -> Done:
    amount = hold.amount if command.amount_fen is None else command.amount_fen
    if not 0 < amount <= hold.amount:
        raise AmountOutOfRange(field="amount_fen", amount_min=1, amount_max=hold.amount)
    _check_open(hold, HoldStatus.POSTED)
    if command.now >= hold.expires_at:
        raise HoldEnded(status=HoldStatus.EXPIRED.value)
    rest = lots_after(hold.lots, draw(hold.lots, amount, order=hold.order))
    sale = journal.move(
        command,
        asked=asked,
        kind=TransferKind.HOLD_POSTED,
        source=journal.pocket(command.member_id, AccountKind.MEMBER_HELD),
        target=hold.sales_account_id,
        amount=amount,
        store_id=hold.store_id,
    )
    hold.standing, hold.posted, hold.posted_id = HoldStatus.POSTED, amount, sale.transfer_id
    if rest:
        _release(journal, command, asked, hold=hold, lots=rest)
    hold.lots = lots_after(hold.lots, [_as_draw(lot) for lot in rest])
    return _done(journal, command, asked, lots=hold.lots, transfer_id=sale.transfer_id)


def _void(journal: Journal, command: VoidHold, asked: bytes, *, hold: HoldRow) -> Done:
    is_swept = isinstance(command, _ExpireHold)
    ending = HoldStatus.EXPIRED if is_swept else HoldStatus.VOIDED
    _check_open(hold, ending)
    hold.standing = ending
    released_id = _release(journal, command, asked, hold=hold, lots=hold.lots)
    return _done(journal, command, asked, lots=hold.lots, transfer_id=released_id)


def _check_open(hold: HoldRow, ending: HoldStatus) -> None:
    if hold.standing not in HOLD_MOVES.sources_of(ending):
        raise HoldEnded(status=hold.standing.value)


def _release(
    journal: Journal, command: VoidHold, asked: bytes, *, hold: HoldRow, lots: Sequence[Lot]
) -> TransferId:
    """Give lots back to the card; name the transfer in the hold."""
    posting = journal.move(
        command,
        asked=asked,
        kind=TransferKind.HOLD_RELEASED,
        source=journal.pocket(command.member_id, AccountKind.MEMBER_HELD),
        target=journal.pocket(command.member_id),
        returns=[LotReturn(lot=lot, amount=lot.remaining) for lot in lots],
        part=1 if hold.posted else 0,
        store_id=hold.store_id,
    )
    hold.released_id = posting.transfer_id
    return posting.transfer_id


def _as_draw(lot: Lot) -> Draw:
    return Draw(lot_id=lot.id, kind=lot.kind, amount=lot.remaining)


def _done(
    journal: Journal,
    command: VoidHold,
    asked: bytes,
    *,
    lots: Sequence[Lot],
    transfer_id: TransferId,
) -> Done:
    parts = [_as_draw(lot) for lot in lots]
    return Done(
        transfer_id=transfer_id,
        asked=asked,
        amount=sum(one.amount for one in parts),
        principal=drawn_of(parts, LotKind.PRINCIPAL),
        bonus=drawn_of(parts, LotKind.BONUS),
        balance_after=journal.pocket(command.member_id).balance,
    )


def _told(hold: HoldRow, done: Done) -> Done:
    """Tell of a repeated posting what was sold for, not what went back with it."""
    if not done.is_replay or not hold.posted:
        return done
    bonus = drawn_of([_as_draw(lot) for lot in hold.lots], LotKind.BONUS)
    return msgspec.structs.replace(
        done, amount=hold.posted, principal=hold.posted - bonus, bonus=bonus
    )


async def _write_ends(tx: Tx, ended: Sequence[tuple[HoldRow, datetime]]) -> None:
    if not ended:
        return
    sources = {source for hold, _ in ended for source in HOLD_MOVES.sources_of(hold.standing)}
    result: Any = await tx.execute(
        _END_HOLDS,
        {
            "ids": [hold.id for hold, _ in ended],
            "statuses": [hold.standing.value for hold, _ in ended],
            "sources": sorted(sources),
            "posted": [hold.posted for hold, _ in ended],
            "posted_ids": [hold.posted_id for hold, _ in ended],
            "released_ids": [hold.released_id for hold, _ in ended],
            "ended_ats": [now for _, now in ended],
        },
    )
    if result.rowcount != len(ended):
        raise BooksOutOfStep(f"{result.rowcount} of {len(ended)} holds were still open")


def _debited(
    journal: Journal, command: PostHold, done: Done, *, hold: HoldRow
) -> StoredValueDebited:
    return StoredValueDebited(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=hold.store_id,
        amount_fen=done.amount,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        balance_fen=done.balance_after,
        at=command.now,
    )


def _released(
    journal: Journal, command: VoidHold, done: Done, *, hold: HoldRow
) -> StoredValueReleased:
    return StoredValueReleased(
        transfer_id=done.transfer_id,
        hold_id=hold.id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=hold.store_id,
        amount_fen=done.amount,
        balance_fen=done.balance_after,
        at=command.now,
    )

"""Enter opening balances: what cards held in the system before this one, many at once."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.crm.statuses import AccountKind, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.ids import LotId, StoreId, TransferId, new_id
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.journal import Done, Intention, Journal, NewLot
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.limits import POINTS_MAX, check_amount


class OpeningBalance(Intention, frozen=True, kw_only=True):
    """What a card held: the principal and bonus, granted then, and points, in any combination."""

    store_id: StoreId
    principal_fen: int
    bonus_fen: int
    points: int
    granted_at: datetime
    # Of the points; None for ever.
    expires_at: datetime | None = None


class OpeningEntered(msgspec.Struct, frozen=True, kw_only=True):
    """What was entered; of a repeated request, what was the first time."""

    transfer_id: TransferId
    principal_fen: int
    bonus_fen: int
    points: int
    is_replay: bool


async def enter_opening_balances(
    tx: Tx, commands: Sequence[OpeningBalance]
) -> list[OpeningEntered | Fact]:
    """Answer each command in order, with seven statements in all. The accounts are open already.

    Nobody is told: it is the past. What cards may hold is not looked at, because they hold it.
    Facts: AmountOutOfRange (also for nothing at all), AccountNotFound, RequestBodyDiffers.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        more_pocket_kinds=[AccountKind.MEMBER_POINTS],
        counterpart_kinds=[AccountKind.STORE_OPENING, AccountKind.BRAND_POINTS_ISSUED],
        with_lots=False,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_enter)
    await post_transfers(tx, journal)
    return [one if isinstance(one, Fact) else _entered(one) for one in outcomes]


def _asked(command: OpeningBalance) -> bytes:
    return body_hash(
        "enter_opening_balance",
        command.member_id,
        command.store_id,
        command.principal_fen,
        command.bonus_fen,
        command.points,
        command.granted_at,
        command.reason,
    )


def _enter(journal: Journal, command: OpeningBalance, asked: bytes) -> Done:
    check_amount(command.principal_fen, field="principal_fen", amount_min=0)
    check_amount(command.bonus_fen, field="bonus_fen", amount_min=0)
    check_amount(command.points, field="points", amount_min=0, amount_max=POINTS_MAX)
    check_amount(command.principal_fen + command.bonus_fen + command.points, field="principal_fen")
    card = journal.pocket(command.member_id)
    points = journal.pocket(command.member_id, AccountKind.MEMBER_POINTS)
    opening = journal.counterpart(card, command.store_id, AccountKind.STORE_OPENING)
    issued = journal.brand_counterpart(card, AccountKind.BRAND_POINTS_ISSUED)
    parts = [
        (TransferKind.OPENING_PRINCIPAL, LotKind.PRINCIPAL, command.principal_fen, card, opening),
        (TransferKind.OPENING_BONUS, LotKind.BONUS, command.bonus_fen, card, opening),
        (TransferKind.OPENING_POINTS, LotKind.POINTS, command.points, points, issued),
    ]
    done = [
        journal.put(
            command,
            asked=asked,
            kind=kind,
            pocket=pocket,
            from_account_id=source,
            lot=NewLot(
                id=LotId(new_id()),
                kind=lot_kind,
                amount=amount,
                granted_at=command.granted_at,
                expires_at=command.expires_at if lot_kind is LotKind.POINTS else None,
            ),
            part=part,
        )
        for part, (kind, lot_kind, amount, pocket, source) in enumerate(p for p in parts if p[2])
    ]
    return Done(
        transfer_id=done[0].transfer_id,
        asked=asked,
        amount=command.principal_fen + command.bonus_fen + command.points,
        principal=command.principal_fen,
        bonus=command.bonus_fen,
        points=command.points,
        balance_after=card.balance,
    )


def _entered(done: Done) -> OpeningEntered:
    return OpeningEntered(
        transfer_id=done.transfer_id,
        principal_fen=done.principal,
        bonus_fen=done.bonus,
        points=done.points,
        is_replay=done.is_replay,
    )

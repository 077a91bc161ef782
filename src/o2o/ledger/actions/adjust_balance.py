"""Adjust a balance: what was wrong is put right by a further transfer, up or down.

Whether two people agreed on it is for the caller to see to.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import msgspec

from o2o.crm.statuses import AccountKind, Asset, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.kernel.ids import AccountId, LotId, TransferId, new_id
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.ledger.actions.announce_outcomes import announce_outcomes
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import InsufficientBalance, InsufficientPoints, LotKindDiffers
from o2o.ledger.events import PointsAdjusted, StoredValueAdjusted
from o2o.ledger.journal import Done, Intention, Journal, NewLot, Pocket
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.draw import DrawOrder, draw
from o2o.ledger.rules.limits import POINTS_MAX, check_amount, check_room


class AdjustBalance(Intention, frozen=True, kw_only=True):
    """Add `delta` (fen or points) to what a member holds, or take it away if negative.

    Money comes or goes as principal or as bonus, whichever `lot_kind` says.
    """

    asset: Asset
    delta: int
    lot_kind: LotKind
    # Of points that are added; None for ever.
    expires_at: datetime | None = None
    # What the card may hold afterwards; None where the limit was looked at elsewhere.
    balance_fen_max: int | None = None


class Adjusted(msgspec.Struct, frozen=True, kw_only=True):
    """What was put right; of a repeated request, what was the first time."""

    transfer_id: TransferId
    # Signed.
    delta: int
    # What there was of the asset right after.
    balance: int
    is_replay: bool


async def adjust_balance(tx: Tx, commands: Sequence[AdjustBalance]) -> list[Adjusted | Fact]:
    """Answer each command in order; what goes down is taken oldest first, from its kind alone.

    Facts: AmountOutOfRange, LotKindDiffers, AccountNotFound, InsufficientBalance,
    InsufficientPoints, BalanceLimitExceeded, RequestBodyDiffers. Publishes stored_value.adjusted
    or points.adjusted.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_STORED_VALUE,
        more_pocket_kinds=[AccountKind.MEMBER_POINTS],
        counterpart_kinds=[
            AccountKind.BRAND_ADJUSTMENTS,
            AccountKind.BRAND_POINTS_ISSUED,
            AccountKind.STORE_SALES,
        ],
        with_lots=True,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_adjust)
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, journal))
    return [
        one if isinstance(one, Fact) else _adjusted(command, one)
        for command, one in zip(commands, outcomes, strict=True)
    ]


def _asked(command: AdjustBalance) -> bytes:
    return body_hash(
        "adjust_balance",
        command.member_id,
        command.store_id,
        command.asset,
        command.delta,
        command.lot_kind,
        command.reason,
    )


def _adjust(journal: Journal, command: AdjustBalance, asked: bytes) -> Done:
    is_points = command.asset is Asset.POINTS
    amount_max = POINTS_MAX if is_points else AMOUNT_FEN_MAX
    check_amount(abs(command.delta), field="delta", amount_max=amount_max)
    if is_points != (command.lot_kind is LotKind.POINTS):
        raise LotKindDiffers
    pocket = _pocket(journal, command)
    journal.check_store(pocket, command.store_id)
    other_side = journal.brand_counterpart(
        pocket, AccountKind.BRAND_POINTS_ISSUED if is_points else AccountKind.BRAND_ADJUSTMENTS
    )
    if command.delta < 0:
        return _take(journal, command, asked, pocket=pocket, other_side=other_side)
    if command.balance_fen_max is not None and not is_points:
        check_room(
            balance_fen=pocket.balance,
            added_fen=command.delta,
            limit_fen=command.balance_fen_max,
        )
    return journal.put(
        command,
        asked=asked,
        kind=TransferKind.ADJUSTED_UP,
        pocket=pocket,
        from_account_id=other_side,
        lot=NewLot(
            id=LotId(new_id()),
            kind=command.lot_kind,
            amount=command.delta,
            expires_at=command.expires_at if is_points else None,
        ),
    )


def _take(
    journal: Journal, command: AdjustBalance, asked: bytes, *, pocket: Pocket, other_side: AccountId
) -> Done:
    lots = [lot for lot in pocket.lots if lot.kind is command.lot_kind]
    there = sum(lot.remaining for lot in lots)
    if there < -command.delta:
        if command.asset is Asset.POINTS:
            raise InsufficientPoints(points=there)
        raise InsufficientBalance(balance_fen=there)
    return journal.take(
        command,
        asked=asked,
        kind=TransferKind.ADJUSTED_DOWN,
        pocket=pocket,
        to_account_id=other_side,
        draws=draw(lots, -command.delta, order=DrawOrder.OLDEST_FIRST),
    )


def _pocket(journal: Journal, command: AdjustBalance) -> Pocket:
    is_points = command.asset is Asset.POINTS
    kind = AccountKind.MEMBER_POINTS if is_points else AccountKind.MEMBER_STORED_VALUE
    return journal.pocket(command.member_id, kind)


def _adjusted(command: AdjustBalance, done: Done) -> Adjusted:
    return Adjusted(
        transfer_id=done.transfer_id,
        delta=command.delta,
        balance=done.balance_after,
        is_replay=done.is_replay,
    )


def _event(
    journal: Journal, command: AdjustBalance, done: Done
) -> StoredValueAdjusted | PointsAdjusted:
    brand_id = _pocket(journal, command).brand_id
    if command.asset is Asset.POINTS:
        return PointsAdjusted(
            transfer_id=done.transfer_id,
            member_id=command.member_id,
            brand_id=brand_id,
            delta=command.delta,
            points_balance=done.balance_after,
            reason=command.reason,
            at=command.now,
        )
    return StoredValueAdjusted(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=brand_id,
        delta_fen=command.delta,
        balance_fen=done.balance_after,
        reason=command.reason,
        at=command.now,
    )

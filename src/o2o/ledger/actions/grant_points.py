"""Grant points: a member earned them; they form a lot of their own that may have an end."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.crm.statuses import AccountKind, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import LotId, StoreId, TransferId, new_id
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.events import PointsGranted
from o2o.ledger.journal import Done, Intention, Journal, NewLot
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.limits import POINTS_MAX, check_amount


class GrantPoints(Intention, frozen=True, kw_only=True):
    """Give a member points, spendable until `expires_at` (exclusive) if that is set."""

    store_id: StoreId
    points: int
    expires_at: datetime | None = None


class PointsMoved(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the points; of a repeated request, what happened the first time."""

    transfer_id: TransferId
    points: int
    points_balance: int
    is_replay: bool


async def grant_points(
    tx: Tx, commands: Sequence[GrantPoints], *, is_announced: bool = True
) -> list[PointsMoved | Fact]:
    """Answer each command in order.

    Facts: AmountOutOfRange, AccountNotFound, RequestBodyDiffers. Publishes points.granted, unless
    `is_announced` is off because the past is being entered.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_POINTS,
        # The store's account only shows that the store is of the member's brand.
        counterpart_kinds=[AccountKind.BRAND_POINTS_ISSUED, AccountKind.STORE_SALES],
        with_lots=False,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_grant)
    await post_transfers(tx, journal)
    events = [
        _event(journal, command, outcome)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Done) and not outcome.is_replay
    ]
    if events and is_announced:
        await publish(tx, *events, now=max(event.at for event in events))
    return [outcome if isinstance(outcome, Fact) else points_moved(outcome) for outcome in outcomes]


def points_moved(done: Done) -> PointsMoved:
    """Tell what was done in the words of points."""
    return PointsMoved(
        transfer_id=done.transfer_id,
        points=done.amount,
        points_balance=done.balance_after,
        is_replay=done.is_replay,
    )


def _asked(command: GrantPoints) -> bytes:
    return body_hash(
        "grant_points",
        command.member_id,
        command.store_id,
        command.points,
        command.expires_at,
        command.reason,
    )


def _grant(journal: Journal, command: GrantPoints, asked: bytes) -> Done:
    check_amount(command.points, field="points", amount_max=POINTS_MAX)
    pocket = journal.pocket(command.member_id)
    journal.counterpart(pocket, command.store_id, AccountKind.STORE_SALES)
    return journal.put(
        command,
        asked=asked,
        kind=TransferKind.POINTS_EARNED,
        pocket=pocket,
        from_account_id=journal.brand_counterpart(pocket, AccountKind.BRAND_POINTS_ISSUED),
        lot=NewLot(
            id=LotId(new_id()),
            kind=LotKind.POINTS,
            amount=command.points,
            expires_at=command.expires_at,
        ),
    )


def _event(journal: Journal, command: GrantPoints, done: Done) -> PointsGranted:
    return PointsGranted(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=command.store_id,
        points=done.amount,
        points_balance=done.balance_after,
        at=command.now,
    )

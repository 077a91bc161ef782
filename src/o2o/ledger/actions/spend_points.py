"""Spend points: a member gives them for something; the oldest that have not expired go first."""

from collections.abc import Sequence

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import StoreId
from o2o.ledger.actions.grant_points import PointsMoved, points_moved
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import InsufficientPoints
from o2o.ledger.events import PointsSpent
from o2o.ledger.journal import Done, Intention, Journal
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.draw import DrawOrder, draw
from o2o.ledger.rules.limits import POINTS_MAX, check_amount

__all__ = ["PointsMoved", "SpendPoints", "spend_points"]


class SpendPoints(Intention, frozen=True, kw_only=True):
    """Take points from a member for something given in a store."""

    store_id: StoreId
    points: int


async def spend_points(
    tx: Tx, commands: Sequence[SpendPoints], *, is_announced: bool = True
) -> list[PointsMoved | Fact]:
    """Answer each command in order.

    Facts: AmountOutOfRange, AccountNotFound, InsufficientPoints, RequestBodyDiffers. Publishes
    points.spent, unless `is_announced` is off because the past is being entered.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_POINTS,
        # The store's account only shows that the store is of the member's brand.
        counterpart_kinds=[AccountKind.BRAND_POINTS_SPENT, AccountKind.STORE_SALES],
        with_lots=True,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_spend)
    await post_transfers(tx, journal)
    events = [
        _event(journal, command, outcome)
        for command, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Done) and not outcome.is_replay
    ]
    if events and is_announced:
        await publish(tx, *events, now=max(event.at for event in events))
    return [outcome if isinstance(outcome, Fact) else points_moved(outcome) for outcome in outcomes]


def _asked(command: SpendPoints) -> bytes:
    return body_hash(
        "spend_points", command.member_id, command.store_id, command.points, command.reason
    )


def _spend(journal: Journal, command: SpendPoints, asked: bytes) -> Done:
    check_amount(command.points, field="points", amount_max=POINTS_MAX)
    pocket = journal.pocket(command.member_id)
    journal.counterpart(pocket, command.store_id, AccountKind.STORE_SALES)
    spendable = [lot for lot in pocket.lots if lot.is_spendable(at=command.now)]
    points = sum(lot.remaining for lot in spendable)
    if points < command.points:
        raise InsufficientPoints(points=points)
    return journal.take(
        command,
        asked=asked,
        kind=TransferKind.POINTS_SPENT,
        pocket=pocket,
        to_account_id=journal.brand_counterpart(pocket, AccountKind.BRAND_POINTS_SPENT),
        draws=draw(spendable, command.points, order=DrawOrder.OLDEST_FIRST),
    )


def _event(journal: Journal, command: SpendPoints, done: Done) -> PointsSpent:
    return PointsSpent(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        store_id=command.store_id,
        points=done.amount,
        points_balance=done.balance_after,
        at=command.now,
    )

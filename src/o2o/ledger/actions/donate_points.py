"""Donate points: a member gives them to the brand's good cause; the oldest go first."""

from collections.abc import Sequence
from functools import partial

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.errors import Fact
from o2o.ledger.actions.announce_outcomes import announce_outcomes
from o2o.ledger.actions.grant_points import PointsMoved, points_moved
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import InsufficientPoints
from o2o.ledger.events import PointsDonated
from o2o.ledger.journal import Done, Intention, Journal
from o2o.ledger.queries.books import lock_books
from o2o.ledger.rules.draw import DrawOrder, draw
from o2o.ledger.rules.limits import POINTS_MAX, check_amount

__all__ = ["DonatePoints", "PointsMoved", "donate_points"]


class DonatePoints(Intention, frozen=True, kw_only=True):
    """Give points away for good. No store takes part, unless it happens in one."""

    points: int


async def donate_points(tx: Tx, commands: Sequence[DonatePoints]) -> list[PointsMoved | Fact]:
    """Answer each command in order.

    Facts: AmountOutOfRange, AccountNotFound, InsufficientPoints, RequestBodyDiffers. Publishes
    points.donated.
    """
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_POINTS,
        counterpart_kinds=[AccountKind.BRAND_POINTS_DONATED, AccountKind.STORE_SALES],
        with_lots=True,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_donate)
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, journal))
    return [one if isinstance(one, Fact) else points_moved(one) for one in outcomes]


def _asked(command: DonatePoints) -> bytes:
    return body_hash(
        "donate_points", command.member_id, command.store_id, command.points, command.reason
    )


def _donate(journal: Journal, command: DonatePoints, asked: bytes) -> Done:
    check_amount(command.points, field="points", amount_max=POINTS_MAX)
    pocket = journal.pocket(command.member_id)
    journal.check_store(pocket, command.store_id)
    spendable = [lot for lot in pocket.lots if lot.is_spendable(at=command.now)]
    points = sum(lot.remaining for lot in spendable)
    if points < command.points:
        raise InsufficientPoints(points=points)
    return journal.take(
        command,
        asked=asked,
        kind=TransferKind.POINTS_DONATED,
        pocket=pocket,
        to_account_id=journal.brand_counterpart(pocket, AccountKind.BRAND_POINTS_DONATED),
        draws=draw(spendable, command.points, order=DrawOrder.OLDEST_FIRST),
    )


def _event(journal: Journal, command: DonatePoints, done: Done) -> PointsDonated:
    return PointsDonated(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        points=done.amount,
        points_balance=done.balance_after,
        at=command.now,
    )

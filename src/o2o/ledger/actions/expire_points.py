"""Expire points: what is left of a lot after its end leaves the member's pocket."""

from datetime import datetime
from functools import partial

from o2o.crm.statuses import AccountKind, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.ids import LotId, new_request_id
from o2o.ledger.actions.announce_outcomes import announce_outcomes, new_work
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import AlreadySpent
from o2o.ledger.events import PointsExpired
from o2o.ledger.journal import Done, Intention, Journal
from o2o.ledger.queries.books import lock_books
from o2o.ledger.queries.expiry import list_due_lots
from o2o.ledger.rules.draw import DrawOrder, draw


class _ExpireLot(Intention, frozen=True, kw_only=True):
    lot_id: LotId


async def expire_points(tx: Tx, *, now: datetime, limit: int) -> int:
    """Expire up to `limit` lots that are over; return how many. Publishes points.expired.

    One transfer per lot. Members who are being served are passed over until the next time.
    """
    commands = [
        _ExpireLot(
            request_id=new_request_id(), member_id=member_id, store_id=None, now=now, lot_id=lot_id
        )
        for lot_id, member_id in await list_due_lots(tx, now=now, limit=limit)
    ]
    if not commands:
        return 0
    journal = await lock_books(
        tx,
        commands,
        pocket_kind=AccountKind.MEMBER_POINTS,
        counterpart_kinds=[AccountKind.BRAND_POINTS_EXPIRED],
        with_lots=True,
        is_waiting=False,
    )
    outcomes = journal.decide_each(commands, asked=_asked, decide=_expire)
    await post_transfers(tx, journal)
    await announce_outcomes(tx, commands, outcomes, event_of=partial(_event, journal))
    return len(new_work(commands, outcomes))


def _asked(command: _ExpireLot) -> bytes:
    return body_hash("expire_points", command.lot_id)


def _expire(journal: Journal, command: _ExpireLot, asked: bytes) -> Done:
    pocket = journal.pocket(command.member_id)
    # Read again under the lock: it may have been spent since it was found.
    over = [lot for lot in pocket.lots if lot.id == command.lot_id]
    if not over or over[0].is_spendable(at=command.now):
        raise AlreadySpent(left=0)
    return journal.take(
        command,
        asked=asked,
        kind=TransferKind.POINTS_EXPIRED,
        pocket=pocket,
        to_account_id=journal.brand_counterpart(pocket, AccountKind.BRAND_POINTS_EXPIRED),
        draws=draw(over, over[0].remaining, order=DrawOrder.OLDEST_FIRST),
    )


def _event(journal: Journal, command: _ExpireLot, done: Done) -> PointsExpired:
    return PointsExpired(
        transfer_id=done.transfer_id,
        member_id=command.member_id,
        brand_id=journal.pocket(command.member_id).brand_id,
        points=done.amount,
        points_balance=done.balance_after,
        at=command.now,
    )

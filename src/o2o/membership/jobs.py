"""What membership does when others act, and what comes round: telling members, sweeping codes."""

from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import send
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.ledger.events import PointsGranted, PointsSpent, StoredValueDebited, StoredValueToppedUp
from o2o.ledger.queries import get_wallet
from o2o.membership.actions.refresh_recommendations import refresh_recommendations
from o2o.membership.actions.sweep_codes import delete_old_codes, kill_expired_codes
from o2o.membership.events import ScanLockBegan
from o2o.notifications.actions.tell_of_money import tell_of_debit, tell_of_top_up

KILL_EVERY_SECONDS = 15
DELETE_EVERY_SECONDS = 3600
REFRESH_EVERY_SECONDS = 3600


def register(registry: Registry, *, clock: Clock) -> None:
    """Listen to the ledger and put the sweeps on the timetable."""
    jobs = Jobs(clock)
    registry.subscribe(StoredValueDebited, jobs.tell_of_debit)
    registry.subscribe(StoredValueToppedUp, jobs.tell_of_top_up)
    registry.subscribe(StoredValueDebited, jobs.show_balance)
    registry.subscribe(StoredValueToppedUp, jobs.show_balance)
    registry.subscribe(PointsGranted, jobs.show_balance)
    registry.subscribe(PointsSpent, jobs.show_balance)
    registry.subscribe(ScanLockBegan, jobs.warn_of_guesses)
    registry.schedule(
        "membership.kill_expired_codes", every_seconds=KILL_EVERY_SECONDS, run=kill_expired_codes
    )
    registry.schedule(
        "membership.refresh_recommendations",
        every_seconds=REFRESH_EVERY_SECONDS,
        run=refresh_recommendations,
    )
    registry.schedule(
        "membership.delete_old_codes", every_seconds=DELETE_EVERY_SECONDS, run=delete_old_codes
    )


class Jobs:
    """Thin listeners: each takes an event and calls one action."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time of what is written by this clock."""
        self._clock = clock

    async def tell_of_debit(self, tx: Tx, event: StoredValueDebited) -> None:
        """Send the member the message of the debit."""
        await tell_of_debit(
            tx,
            transfer_id=event.transfer_id,
            member_id=event.member_id,
            store_id=event.store_id,
            amount_fen=event.amount_fen,
            balance_fen=event.balance_fen,
            at=event.at,
            now=self._clock.now(),
        )

    async def tell_of_top_up(self, tx: Tx, event: StoredValueToppedUp) -> None:
        """Send the member the message of the top-up."""
        await tell_of_top_up(
            tx,
            transfer_id=event.transfer_id,
            member_id=event.member_id,
            store_id=event.store_id,
            principal_fen=event.principal_fen,
            bonus_fen=event.bonus_fen,
            balance_fen=event.balance_fen,
            at=event.at,
            now=self._clock.now(),
        )

    async def show_balance(
        self, tx: Tx, event: StoredValueDebited | StoredValueToppedUp | PointsGranted | PointsSpent
    ) -> None:
        """Bring the member's open page up to date.

        With what the books say now, not with what the event says: events may overtake each other.
        """
        wallet = await get_wallet(tx, MemberId(event.member_id))
        data = {"balance_fen": wallet.balance_fen, "points": wallet.points}
        push = live_push(f"member:{event.member_id}", "balance", data)
        await send(tx, [push], now=self._clock.now())

    async def warn_of_guesses(self, tx: Tx, event: ScanLockBegan) -> None:
        """Show the store's manager that somebody tries codes."""
        data = {
            "pad_id": str(event.pad_id) if event.pad_id else None,
            "locked_until": event.locked_until.isoformat(),
        }
        await send(
            tx, [live_push(f"store:{event.store_id}", "scan_locked", data)], now=self._clock.now()
        )

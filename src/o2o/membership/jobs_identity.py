"""What comes round for identities, and what an open page hears when two members become one."""

from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import send
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.ledger.queries import get_wallet
from o2o.membership.actions.gather_merged import gather_merged
from o2o.membership.actions.verify_phone import sweep_verifications
from o2o.membership.events import MembersMerged, MembersUnmerged

SWEEP_SECONDS = 3600
GATHER_SECONDS = 60


def register(registry: Registry, *, clock: Clock) -> None:
    """Put the sweeps on the timetable and listen for merges."""
    listeners = Listeners(clock)
    registry.subscribe(MembersMerged, listeners.show_merged)
    registry.subscribe(MembersUnmerged, listeners.show_unmerged)
    registry.schedule(
        "membership.sweep_verifications", every_seconds=SWEEP_SECONDS, run=sweep_verifications
    )
    registry.schedule("membership.gather_merged", every_seconds=GATHER_SECONDS, run=gather_merged)


class Listeners:
    """Thin listeners: they bring open pages up to date."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time of what is written by this clock."""
        self._clock = clock

    async def show_merged(self, tx: Tx, event: MembersMerged) -> None:
        """Show the survivor what is on the card now."""
        await self._show_balance(tx, event.member_id)

    async def show_unmerged(self, tx: Tx, event: MembersUnmerged) -> None:
        """Show both what they have again."""
        await self._show_balance(tx, event.member_id)
        await self._show_balance(tx, event.returned_member_id)

    async def _show_balance(self, tx: Tx, member_id: MemberId) -> None:
        wallet = await get_wallet(tx, MemberId(member_id))
        data = {"balance_fen": wallet.balance_fen, "points": wallet.points}
        push = live_push(f"member:{member_id}", "balance", data)
        await send(tx, [push], now=self._clock.now())

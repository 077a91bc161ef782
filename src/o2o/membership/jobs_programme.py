"""What a programme does when others act, and what comes round: points, tiers, gifts, proposals."""

from datetime import datetime

from o2o.crm.statuses import Asset
from o2o.infra.database import Tx
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.ledger.events import StoredValueDebited, StoredValueDebitReversed
from o2o.membership.actions.change_tiers import (
    date_tiers,
    lapse_tiers,
    raise_tiers,
    take_back_tier,
)
from o2o.membership.actions.earn_points import settle_points
from o2o.membership.actions.edit_tiers import raise_next_members
from o2o.membership.actions.expire_proposals import expire_proposals
from o2o.membership.actions.give_points import give_birthday_gifts, give_joining_points
from o2o.membership.actions.remind_of_expiry import remind_of_expiry
from o2o.membership.events import AdjustmentDecided, MemberJoined, ProgrammeChanged, TierChanged
from o2o.membership.queries.adjustments import get_adjustment
from o2o.membership.queries.tier_states import get_tier_name
from o2o.notifications.actions.tell_of_programme import tell_of_adjustment, tell_of_tier

HOURLY_SECONDS = 3600
# Often enough for a large brand to get through a night's work in a few hours.
SWEEP_SECONDS = 300
SWEEP_MAX = 500


def register(registry: Registry, *, clock: Clock) -> None:
    """Listen to charges, reversals and joins, and put the sweeps on the timetable."""
    jobs = ProgrammeJobs(clock)
    # Points before tiers: a charge earns by the tier that was held when it was made.
    registry.subscribe(StoredValueDebited, jobs.earn)
    registry.subscribe(StoredValueDebited, jobs.raise_tier)
    registry.subscribe(StoredValueDebitReversed, jobs.take_points_back)
    registry.subscribe(StoredValueDebitReversed, jobs.take_tier_back)
    registry.subscribe(MemberJoined, jobs.give_joining_points)
    registry.subscribe(TierChanged, jobs.tell_of_tier)
    registry.subscribe(ProgrammeChanged, jobs.raise_next_members)
    registry.subscribe(AdjustmentDecided, jobs.tell_of_adjustment)
    registry.schedule("membership.lapse_tiers", every_seconds=SWEEP_SECONDS, run=_lapse_tiers)
    registry.schedule("membership.birthday_gifts", every_seconds=SWEEP_SECONDS, run=_give_gifts)
    registry.schedule("membership.remind_of_expiry", every_seconds=SWEEP_SECONDS, run=_remind)
    registry.schedule(
        "membership.expire_proposals", every_seconds=HOURLY_SECONDS, run=expire_proposals
    )


async def _lapse_tiers(tx: Tx, now: datetime) -> None:
    await date_tiers(tx, now=now, most=SWEEP_MAX)
    await lapse_tiers(tx, now=now, most=SWEEP_MAX)


async def _give_gifts(tx: Tx, now: datetime) -> None:
    await give_birthday_gifts(tx, now=now, most=SWEEP_MAX)


async def _remind(tx: Tx, now: datetime) -> None:
    await remind_of_expiry(tx, now=now, most=SWEEP_MAX)


class ProgrammeJobs:
    """Thin listeners: each takes an event and calls one action."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time of what is written by this clock."""
        self._clock = clock

    async def earn(self, tx: Tx, event: StoredValueDebited) -> None:
        """Give the points of a charge."""
        await settle_points(tx, event.transfer_id, now=self._clock.now())

    async def raise_tier(self, tx: Tx, event: StoredValueDebited) -> None:
        """Let the member rise to what the charge leads to."""
        await raise_tiers(tx, [event.member_id], now=self._clock.now())

    async def take_points_back(self, tx: Tx, event: StoredValueDebitReversed) -> None:
        """Take back the points of what was reversed."""
        await settle_points(tx, event.reverses_id, now=self._clock.now())

    async def take_tier_back(self, tx: Tx, event: StoredValueDebitReversed) -> None:
        """Undo a rise that rested on what was reversed."""
        await take_back_tier(tx, event.member_id, now=self._clock.now())

    async def give_joining_points(self, tx: Tx, event: MemberJoined) -> None:
        """Give the points for opening the card."""
        await give_joining_points(tx, event.member_id, now=self._clock.now())

    async def tell_of_tier(self, tx: Tx, event: TierChanged) -> None:
        """Tell the member of a tier reached; of one that ended the card page tells."""
        if event.is_up:
            await tell_of_tier(
                tx,
                member_id=event.member_id,
                tier_name=event.to_name,
                before_name=await get_tier_name(tx, event.brand_id, code=event.from_code),
                at=event.at,
                now=self._clock.now(),
            )

    async def raise_next_members(self, tx: Tx, event: ProgrammeChanged) -> None:
        """Apply new conditions to the next members."""
        await raise_next_members(
            tx, brand_id=event.brand_id, after=event.after, now=self._clock.now()
        )

    async def tell_of_adjustment(self, tx: Tx, event: AdjustmentDecided) -> None:
        """Tell the member of a correction."""
        adjustment = await get_adjustment(tx, event.adjustment_id, brand_id=event.brand_id)
        await tell_of_adjustment(
            tx,
            adjustment_id=event.adjustment_id,
            member_id=event.member_id,
            is_points=event.asset == Asset.POINTS.value,
            delta=event.delta,
            balance=event.balance,
            reason=adjustment.reason,
            at=event.at,
            now=self._clock.now(),
        )

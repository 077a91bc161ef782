"""What bookings do by themselves: remind, end what was not kept, follow tickets and hours, tell."""

from collections.abc import Sequence
from datetime import datetime

from o2o.crm.statuses import TicketStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.queueing.actions.edit_booking_plan import PlanEdit, call_off
from o2o.queueing.actions.sweep_bookings import (
    cancel_ownerless,
    end_not_kept,
    end_with_tickets,
    mark_reminders,
)
from o2o.queueing.actions.tell_of_bookings import (
    CHECK,
    BookingVoice,
    are_booking_notices_true,
    remind,
    tell_of_cancellations,
)
from o2o.queueing.errors_bookings import BookingsNotTaken
from o2o.queueing.events import TicketEnded
from o2o.queueing.events_bookings import BookingCancelled
from o2o.queueing.queries.affected_bookings import list_outside_hours
from o2o.stores.events import StoreHoursSet
from o2o.wechat.messenger import Messenger

SWEEP_SECONDS = 20
HOURLY_SECONDS = 3600
_ENDS = {TicketStatus.SEATED, TicketStatus.CANCELLED, TicketStatus.EXPIRED}


def register(
    registry: Registry, *, messenger: Messenger, clock: Clock, voice: BookingVoice
) -> None:
    """Put the sweeps on the timetable and listen to tickets, cancellations and hours."""
    messenger.ask_before(CHECK, are_booking_notices_true)
    jobs = BookingJobs(clock, voice)
    registry.schedule("bookings.remind", every_seconds=SWEEP_SECONDS, run=jobs.remind)
    registry.schedule("bookings.not_kept", every_seconds=SWEEP_SECONDS, run=_end_not_kept)
    registry.schedule("bookings.ownerless", every_seconds=HOURLY_SECONDS, run=_cancel_ownerless)
    registry.subscribe_many(TicketEnded, jobs.follow_tickets)
    registry.subscribe(BookingCancelled, jobs.tell_of_cancellation)
    registry.subscribe(StoreHoursSet, jobs.follow_hours)


async def _end_not_kept(tx: Tx, now: datetime) -> None:
    await end_not_kept(tx, now=now)


async def _cancel_ownerless(tx: Tx, now: datetime) -> None:
    await cancel_ownerless(tx, now=now)


class BookingJobs:
    """Thin listeners: each takes an event and calls one action."""

    def __init__(self, clock: Clock, voice: BookingVoice) -> None:
        """Tell the time by this clock, and the news in this voice."""
        self._clock = clock
        self._voice = voice

    async def remind(self, tx: Tx, now: datetime) -> None:
        """Remind those whose time is near."""
        await remind(tx, self._voice, await mark_reminders(tx, now=now), now=now)

    async def follow_tickets(self, tx: Tx, events: Sequence[TicketEnded]) -> None:
        """End the bookings that came as these tickets, served or not."""
        for is_served in (True, False):
            ended = [
                event.ticket_id
                for event in events
                if event.status in _ENDS
                and (event.status == TicketStatus.SEATED.value) is is_served
            ]
            if ended:
                await end_with_tickets(tx, ended, is_served=is_served, now=self._clock.now())

    async def tell_of_cancellation(self, tx: Tx, event: BookingCancelled) -> None:
        """Tell whom the store called off; who did it himself knows."""
        if event.is_by_store:
            await tell_of_cancellations(tx, self._voice, [event.booking_id], now=self._clock.now())

    async def follow_hours(self, tx: Tx, event: StoreHoursSet) -> None:
        """Call off what was booked for a time when the store is closed now."""
        now = self._clock.now()
        try:
            outside = await list_outside_hours(tx, event.store_id, now=now)
        except BookingsNotTaken:
            return
        edit = PlanEdit(store_id=event.store_id, actor=SYSTEM, now=now)
        reason = self._voice.text("told.closed_reason")
        await call_off(tx, [one.booking_id for one in outside], edit=edit, reason=reason)

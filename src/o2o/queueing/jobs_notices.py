"""What queueing does after its own events: parties are told in time, open pages are kept true."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import Tx
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.queueing.actions.tell_almost_there import tell_almost_there
from o2o.queueing.actions.tell_of_calls import Called, tell_of_untold_calls
from o2o.queueing.actions.tell_of_ends import tell_of_cancellation
from o2o.queueing.actions.tell_of_promises import tell_of_missed_promise
from o2o.queueing.actions.tell_parties import CHECK, Voice, are_notices_true
from o2o.queueing.events import PromiseMissed, QueueChanged, TicketCalled, TicketEnded
from o2o.queueing.queries.lines import list_untold_lines
from o2o.wechat.messenger import Messenger

# Waits grow shorter while nothing is called, too.
LOOK_EVERY_SECONDS = 30
# No business day is longer, nor farther from the clock's.
DAYS_BACK = timedelta(days=1)
LINES_AT_ONCE = 50


def register(registry: Registry, *, messenger: Messenger, clock: Clock, voice: Voice) -> None:
    """Listen to the queues, and let the messenger ask whether a notice is true still."""
    messenger.ask_before(CHECK, are_notices_true)
    jobs = NoticeJobs(clock, voice)
    # Somebody stands at the desk and waits for them.
    registry.subscribe_many(TicketCalled, jobs.tell_of_calls, is_urgent=True)
    registry.subscribe_many(QueueChanged, jobs.tell_almost_there)
    registry.subscribe_many(TicketEnded, jobs.tell_of_ends)
    registry.subscribe(PromiseMissed, jobs.tell_of_promise)
    registry.schedule(
        "queueing.tell_almost_there", every_seconds=LOOK_EVERY_SECONDS, run=jobs.look_at_all
    )


class NoticeJobs:
    """Thin listeners: each takes an event and calls one action."""

    def __init__(self, clock: Clock, voice: Voice) -> None:
        """Tell the time by this clock, and the news in this voice."""
        self._clock = clock
        self._voice = voice

    async def tell_of_calls(self, tx: Tx, events: Sequence[TicketCalled]) -> None:
        """Tell the parties that they are called, where that was not done with the call."""
        calls = [
            Called(
                ticket_id=event.ticket_id,
                call_seq=event.call_seq,
                desk=event.desk,
                is_recall=event.is_recall,
                at=event.at,
            )
            for event in events
        ]
        await tell_of_untold_calls(tx, self._voice, calls, now=self._clock.now())

    async def tell_almost_there(self, tx: Tx, events: Sequence[QueueChanged]) -> None:
        """Tell those whom these changes brought near."""
        keys = {(event.queue_id, event.business_on) for event in events if event.is_line_changed}
        if not keys:
            return
        await tell_almost_there(tx, self._voice, keys=keys, now=self._clock.now())

    async def tell_of_ends(self, tx: Tx, events: Sequence[TicketEnded]) -> None:
        """Tell the parties that the store cancelled; of every other end they know."""
        for event in events:
            if event.by_store and event.status == TicketStatus.CANCELLED.value:
                await tell_of_cancellation(
                    tx, self._voice, ticket_id=event.ticket_id, at=event.at, now=self._clock.now()
                )

    async def tell_of_promise(self, tx: Tx, event: PromiseMissed) -> None:
        """Tell the party what the store says to a wait that grew too long."""
        said = (event.apology or {}).get("text")
        await tell_of_missed_promise(
            tx,
            self._voice,
            ticket_id=event.ticket_id,
            apology_text=said if isinstance(said, str) and said.strip() else None,
            waited_seconds=event.waited_seconds,
            now=self._clock.now(),
        )

    async def look_at_all(self, tx: Tx, now: datetime) -> None:
        """Tell those whom the passing of time brought near."""
        keys = await list_untold_lines(tx, since=(now - DAYS_BACK).date())
        for start in range(0, len(keys), LINES_AT_ONCE):
            await tell_almost_there(
                tx, self._voice, keys=keys[start : start + LINES_AT_ONCE], now=now
            )

"""The relay: carries outbox messages to subscribers and performers, at least once, in order.

A process runs it in lanes (`Registry.lanes`): events and errands apart, and what is urgent apart
from what is not. So no event waits behind a slow answer of WeChat, and no call for a guest behind a
hundred pieces of news. A lane of events wakes those of errands, which it makes: where those are not
urgent, they look by themselves more rarely.
"""

import asyncio
import random
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from o2o.infra import relay_queries as queries
from o2o.infra.database import SessionFactory, Tx, reading, transaction
from o2o.infra.direct import reading_direct
from o2o.infra.holder import Holder
from o2o.infra.logging import get_logger
from o2o.infra.metrics import OUTBOX_DELIVERED, OUTBOX_FAILED
from o2o.infra.relay_queries import Claimed
from o2o.infra.subscriptions import (
    Later,
    ManySubscription,
    Never,
    Registry,
    Subscription,
    Topics,
)
from o2o.infra.trace import new_trace_id, trace_id_var
from o2o.kernel.clock import Clock
from o2o.kernel.events import decode_event

log = get_logger(__name__)

BATCH_MAX = 200
# Errands may take seconds each, and all of a batch must be done within its lease. A batch with a
# slow one in it is not waited for: the next ones go on beside it.
ERRAND_BATCH_MAX = 16
ERRAND_BATCHES_AT_ONCE = 4
ERRANDS_AT_ONCE = 32
POLL_SECONDS = 0.05
# Most errands come of events, whose lanes wake theirs; the others wait so long at most, unless they
# are urgent.
ERRAND_POLL_SECONDS = 0.15
# For so long at most between two batches: what is not urgent is late then, but goes on.
STAND_BACK_SECONDS = 1.0
BACKOFF_SECONDS_MAX = 20.0
# A message nobody could deliver for a day will not be delivered by trying on.
GIVE_UP_AFTER = timedelta(hours=24)

EVERYTHING = Topics()


def backoff_seconds(attempts: int) -> float:
    """Return the wait after the n-th failure: 0.5, 1, 2 … 20 s, ±20 % so that they spread."""
    wait = min(0.5 * 2.0 ** min(attempts - 1, 10), BACKOFF_SECONDS_MAX)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreading, not secrecy


class Relay:
    """One process's relay. Several may run; each message is held by one at a time."""

    def __init__(
        self,
        *,
        sessions: SessionFactory,
        registry: Registry,
        clock: Clock,
        topics: Topics = EVERYTHING,
        holder: Holder | None = None,
        wakes: Collection["Relay"] = (),
        after: Collection["Relay"] = (),
    ) -> None:
        """Deliver what `registry` knows of `topics`; leave the others to relays that know them.

        What it holds when its process dies is free as soon as others see that its `holder` is
        gone; without one, with the lease. It `wakes` other lanes after each batch, and stands back
        for a while where those `after` which it comes have more to do than they can.
        """
        self._sessions = sessions
        self._registry = registry
        self._clock = clock
        self._topics = topics
        self._holder = holder
        self._wakes, self._after = wakes, after
        self._batch_max = ERRAND_BATCH_MAX if topics.are_errands else BATCH_MAX
        self._batches_at_once = ERRAND_BATCHES_AT_ONCE if topics.are_errands else 1
        is_patient = topics.are_errands and not topics.is_urgent
        self._poll_seconds = ERRAND_POLL_SECONDS if is_patient else POLL_SECONDS
        self._gate = asyncio.Semaphore(ERRANDS_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._woken = asyncio.Event()
        # Unset while looks find as much as can be taken at once.
        self.has_caught_up = asyncio.Event()
        self.has_caught_up.set()

    def stop(self) -> None:
        """Finish the batches in hand, then return from `run`."""
        self._is_stopping = True
        self._woken.set()

    def wake(self) -> None:
        """Look for due messages now: some were written."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until stopped. An absent database is waited for."""
        while not self._is_stopping:
            await self._stand_back()
            # Before the look: what is written during it wakes the lane once more.
            self._woken.clear()
            try:
                batch = await self._claim()
            except Exception as error:  # noqa: BLE001 - the relay outlives whatever one round met
                log.warning("relay.round_failed", error=repr(error))
                await self._pause(1.0)
                continue
            if len(batch) < self._batch_max:
                self.has_caught_up.set()
            else:
                self.has_caught_up.clear()
            if not batch:
                await self._pause(self._poll_seconds)
                continue
            self._under_way.add(asyncio.create_task(self._deliver_in_background(batch)))
            if len(self._under_way) >= self._batches_at_once:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            self._under_way = {task for task in self._under_way if not task.done()}
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _stand_back(self) -> None:
        for lane in self._after:
            with suppress(TimeoutError):
                await asyncio.wait_for(lane.has_caught_up.wait(), STAND_BACK_SECONDS)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    async def deliver_due(self) -> int:
        """Deliver one batch of due messages; return how many were taken."""
        batch = await self._claim()
        if batch:
            await self._deliver_batch(batch)
        return len(batch)

    async def _claim(self) -> list[Claimed]:
        # One statement, kept at once: several times a second, mostly for nothing.
        async with reading_direct(self._sessions) as tx:
            return await queries.claim_due(
                tx,
                limit=self._batch_max,
                now=self._clock.now(),
                holder=self._holder.number if self._holder is not None else None,
                only=self._topics.only,
                without=self._topics.without,
            )

    async def _deliver_in_background(self, batch: Sequence[Claimed]) -> None:
        try:
            await self._deliver_batch(batch)
        except Exception as error:  # noqa: BLE001 - they come again when the lease has run out
            log.warning("relay.round_failed", error=repr(error))
            await self._pause(1.0)
        for lane in self._wakes:
            lane.wake()

    async def _deliver_batch(self, batch: Sequence[Claimed]) -> None:
        gate = self._gate
        failures = await self._deliver_swarms(batch, gate)
        outcomes = await asyncio.gather(
            *(self._deliver(message, gate, failures.get(message.id)) for message in batch)
        )
        await self._settle(list(zip(batch, outcomes, strict=True)))

    async def _deliver_swarms(
        self, batch: Sequence[Claimed], gate: asyncio.Semaphore
    ) -> dict[int, Exception]:
        """Deliver what is taken many at a time; return what failed, by message."""
        swarms: dict[str, list[Claimed]] = {}
        for message in batch:
            swarms.setdefault(message.topic, []).append(message)
        failures: dict[int, Exception] = {}

        async def perform(topic: str) -> None:
            async with gate:
                payloads = [message.payload for message in swarms[topic]]
                try:
                    await self._registry.many_performers[topic](payloads)
                except Exception as error:  # noqa: BLE001 - all of them come again
                    failures.update((message.id, error) for message in swarms[topic])

        async def handle(subscription: ManySubscription) -> None:
            async with gate:
                failures.update(await self._handle_many(subscription, swarms[subscription.topic]))

        await asyncio.gather(
            *(perform(topic) for topic in swarms if topic in self._registry.many_performers),
            *(
                handle(subscription)
                for topic in swarms
                for subscription in self._registry.many_subscriptions.get(topic, ())
            ),
        )
        return failures

    async def _handle_many(
        self, subscription: ManySubscription, messages: Sequence[Claimed]
    ) -> dict[int, Exception]:
        try:
            async with transaction(self._sessions) as tx:
                fresh = await queries.claim_handlings(
                    tx,
                    subscriber=subscription.name,
                    message_ids=[message.id for message in messages],
                    now=self._clock.now(),
                )
                events = [decode_event(m.topic, m.payload) for m in messages if m.id in fresh]
                if events:
                    await subscription.handle(tx, events)
        except Exception as error:  # noqa: BLE001 - one of them must not hold the others up
            if len(messages) == 1:
                return {messages[0].id: error}
            log.warning("relay.swarm_failed", topic=subscription.topic, error=repr(error))
            failures: dict[int, Exception] = {}
            for message in messages:
                failures |= await self._handle_many(subscription, [message])
            return failures
        return {}

    async def _deliver(
        self, message: Claimed, gate: asyncio.Semaphore, failure: Exception | None
    ) -> Exception | None:
        topic, registry = message.topic, self._registry
        if failure is not None or not (
            topic in registry.performers or topic in registry.subscriptions
        ):
            return failure
        async with gate:
            trace = trace_id_var.set(message.trace_id or new_trace_id())
            try:
                performer = self._registry.performers.get(message.topic)
                if performer is not None:
                    await performer(message.payload)
                for subscription in self._registry.subscriptions.get(message.topic, ()):
                    await self._handle(subscription, message)
            except Exception as error:  # noqa: BLE001 - every failure is rescheduled or buried
                return error
            finally:
                trace_id_var.reset(trace)
        return None

    async def _handle(self, subscription: Subscription, message: Claimed) -> None:
        event = decode_event(message.topic, message.payload)
        async with transaction(self._sessions) as tx:
            if await queries.claim_handling(
                tx, subscriber=subscription.name, message_id=message.id, now=self._clock.now()
            ):
                await subscription.handle(tx, event)

    async def _settle(self, outcomes: Sequence[tuple[Claimed, Exception | None]]) -> None:
        now = self._clock.now()
        done = [message for message, error in outcomes if error is None]
        if done:
            async with reading_direct(self._sessions) as tx:
                await queries.delete_done(tx, [message.id for message in done])
            for message in done:
                OUTBOX_DELIVERED.labels(message.topic).inc()
        failures = [(message, error) for message, error in outcomes if error is not None]
        if failures:
            async with reading(self._sessions) as tx:
                for message, error in failures:
                    await self._settle_failure(tx, message, error=error, now=now)

    async def _settle_failure(
        self, tx: Tx, message: Claimed, *, error: Exception, now: datetime
    ) -> None:
        OUTBOX_FAILED.labels(message.topic).inc()
        reason = f"{type(error).__name__}: {error}"
        is_hopeless = isinstance(error, Never) or now - message.created_at > GIVE_UP_AFTER
        if is_hopeless:
            log.error("outbox.dead", topic=message.topic, message_id=message.id, error=reason)
            await queries.bury(tx, message.id, now=now, error=reason)
            return
        wait = backoff_seconds(message.attempts)
        if isinstance(error, Later) and error.after_seconds is not None:
            wait = error.after_seconds
        log.warning("outbox.postponed", topic=message.topic, message_id=message.id, error=reason)
        await queries.postpone(tx, message.id, until=now + timedelta(seconds=wait), error=reason)

"""Learn the waits of queues anew: read, work it out with no transaction open, keep it.

What is read and what is kept takes milliseconds each; between them another process computes for a
second or three. Nobody waits for that: no connection is held, no row is locked, no snapshot kept
alive.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from o2o.infra.database import SessionFactory, Tx, reading, transaction
from o2o.infra.logging import get_logger
from o2o.kernel.business_day import business_day
from o2o.queueing.actions.learn_waits import keep_learnt, pass_over
from o2o.queueing.learning_process import learn_apart
from o2o.queueing.queries.past_waits import DueQueue, list_due_queues, list_past_days

log = get_logger(__name__)

DAYS = 60
ONCE_A_DAY = timedelta(days=1)


class WaitLearner:
    """Learns over a pool of connections that others use too."""

    def __init__(self, sessions: SessionFactory) -> None:
        """Read and keep over `sessions`, each in a transaction of its own."""
        self._sessions = sessions

    async def learn_next(self, _: Tx, now: datetime) -> None:
        """Learn the queue that is due first; the transaction of the timetable stays unopened."""
        await self.learn(now=now, limit=1)

    async def learn(
        self, *, now: datetime, limit: int, every: timedelta = ONCE_A_DAY
    ) -> Sequence[UUID]:
        """Learn the queues whose models are older than `every`, the oldest first; return which.

        One that cannot be learnt keeps what it knew, and does not stand before the others.
        """
        async with reading(self._sessions) as tx:
            due = await list_due_queues(tx, before=now - every, limit=limit)
        for queue in due:
            try:
                await self._learn(queue, now=now)
            except Exception:  # One queue's past must not keep all the others from theirs.
                log.exception("queue.waits_not_learnt", queue_id=str(queue.queue_id))
                async with transaction(self._sessions) as tx:
                    await pass_over(tx, queue.queue_id, until=now.date(), now=now)
        return [queue.queue_id for queue in due]

    async def _learn(self, queue: DueQueue, *, now: datetime) -> None:
        # The day that is still lived is left out: who waits now has not waited to the end.
        today = business_day(now, hours=queue.hours, timezone=queue.timezone)
        until = today - timedelta(days=1)
        since = until - timedelta(days=DAYS - 1)
        async with reading(self._sessions) as tx:
            days = await list_past_days(
                tx, queue.queue_id, since=since, until=until, timezone=queue.timezone
            )
        learnt = await learn_apart(days, servers=queue.servers)
        async with transaction(self._sessions) as tx:
            await keep_learnt(tx, queue.queue_id, learnt, days=len(days), until=until, now=now)

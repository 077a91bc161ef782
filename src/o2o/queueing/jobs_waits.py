"""Scheduled work of the estimate: learning from past days, noticing promises that were missed."""

from datetime import datetime

from o2o.infra.database import SessionFactory, Tx
from o2o.infra.subscriptions import Registry
from o2o.queueing.actions.notice_missed_promises import notice_missed_promises
from o2o.queueing.learning import WaitLearner

# One queue at a time, a second or three: what else is on the timetable waits no longer than that.
LEARN_EVERY_SECONDS = 15
MISSED_EVERY_SECONDS = 10
MISSED_AT_ONCE = 500


def register(registry: Registry, *, sessions: SessionFactory) -> None:
    """Let the relay learn a few queues a minute and look for broken promises."""
    registry.schedule(
        "queueing.learn_waits",
        every_seconds=LEARN_EVERY_SECONDS,
        run=WaitLearner(sessions).learn_next,
    )
    registry.schedule(
        "queueing.missed_promises", every_seconds=MISSED_EVERY_SECONDS, run=_notice_missed
    )


async def _notice_missed(tx: Tx, now: datetime) -> None:
    await notice_missed_promises(tx, now=now, limit=MISSED_AT_ONCE)

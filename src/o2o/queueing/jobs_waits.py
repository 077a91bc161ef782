"""Scheduled work of the estimate: learning from past days, noticing promises that were missed."""

from datetime import datetime

from o2o.infra.database import Tx
from o2o.infra.subscriptions import Registry
from o2o.queueing.actions.learn_waits import learn_waits
from o2o.queueing.actions.notice_missed_promises import notice_missed_promises

LEARN_EVERY_SECONDS = 60
# A queue takes a second or two; the lease of the job lasts longer than these together.
QUEUES_AT_ONCE = 4
MISSED_EVERY_SECONDS = 10
MISSED_AT_ONCE = 500


def register(registry: Registry) -> None:
    """Let the relay learn a few queues a minute and look for broken promises."""
    registry.schedule("queueing.learn_waits", every_seconds=LEARN_EVERY_SECONDS, run=_learn)
    registry.schedule(
        "queueing.missed_promises", every_seconds=MISSED_EVERY_SECONDS, run=_notice_missed
    )


async def _learn(tx: Tx, now: datetime) -> None:
    await learn_waits(tx, now=now, limit=QUEUES_AT_ONCE)


async def _notice_missed(tx: Tx, now: datetime) -> None:
    await notice_missed_promises(tx, now=now, limit=MISSED_AT_ONCE)

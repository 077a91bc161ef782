"""What comes round in queues: a day's end, and closing time where nobody is served after it."""

from o2o.infra.subscriptions import Registry
from o2o.queueing.actions.expire_tickets import cancel_after_close, expire_tickets

SWEEP_SECONDS = 60


def register(registry: Registry) -> None:
    """Put the sweeps on the timetable."""
    registry.schedule("queueing.expire_tickets", every_seconds=SWEEP_SECONDS, run=expire_tickets)
    registry.schedule(
        "queueing.cancel_after_close", every_seconds=SWEEP_SECONDS, run=cancel_after_close
    )

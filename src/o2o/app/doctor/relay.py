"""The doctor on what runs beside the pages: the relay, its schedule and its dead letters."""

from o2o.app.doctor.report import Remark, fail, ok, warn
from o2o.app.runtime import Runtime
from o2o.infra.database import transaction
from o2o.infra.examination import read_schedule
from o2o.infra.relay_queries import outbox_figures

# The schedule ticks every second; a restart takes a few.
LATE_SECONDS_MAX = 60.0
WAITING_SECONDS_MAX = 60.0


async def examine_relay(runtime: Runtime) -> list[Remark]:
    """Say whether the relay runs and what it could not deliver."""
    async with transaction(runtime.sessions) as tx:
        schedule = await read_schedule(tx, now=runtime.clock.now())
        outbox = await outbox_figures(tx)
    if schedule.jobs == 0:
        remarks = [fail("relay.never_ran")]
    elif schedule.late_seconds > LATE_SECONDS_MAX:
        remarks = [fail("relay.stopped", minutes=_minutes(schedule.late_seconds))]
    else:
        remarks = [ok("relay.running")]
    remarks += [warn("relay.job_failed", job=job, reason=error) for job, error in schedule.failing]
    if outbox["oldest_seconds"] > WAITING_SECONDS_MAX:
        remarks.append(
            warn(
                "outbox.late",
                count=f"{outbox['waiting']:.0f}",
                minutes=_minutes(outbox["oldest_seconds"]),
            )
        )
    if outbox["dead"]:
        remarks.append(warn("outbox.dead", count=f"{outbox['dead']:.0f}"))
    elif outbox["oldest_seconds"] <= WAITING_SECONDS_MAX:
        remarks.append(ok("outbox.good", count=f"{outbox['waiting']:.0f}"))
    return remarks


def _minutes(seconds: float) -> str:
    return str(max(1, round(seconds / 60)))

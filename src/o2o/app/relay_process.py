"""The relay process: outbox, schedule and what WeChat's side does in the background."""

import asyncio
import signal
from collections.abc import Sequence

from o2o.app.leftovers import leave_with_parent
from o2o.app.runtime import Runtime, open_runtime
from o2o.app.wiring import wire, wire_registry
from o2o.infra.direct import direct_of
from o2o.infra.holder import Holder
from o2o.infra.logging import get_logger
from o2o.infra.relay import Relay
from o2o.infra.schedule import Schedule
from o2o.infra.settings import Settings
from o2o.infra.subscriptions import Registry, Topics

log = get_logger(__name__)


def open_lanes(runtime: Runtime, registry: Registry, holder: Holder) -> list[Relay]:
    """Make the lanes of one process; those of events wake those of errands."""

    def lane(topics: Topics, *, wakes: Sequence[Relay] = (), after: Sequence[Relay] = ()) -> Relay:
        return Relay(
            sessions=runtime.sessions,
            registry=registry,
            clock=runtime.clock,
            topics=topics,
            holder=holder,
            wakes=wakes,
            after=after,
        )

    topics = registry.lanes
    urgent_errands = lane(topics.urgent_errands)
    errands = lane(topics.errands, after=[urgent_errands])
    return [
        urgent_errands,
        errands,
        lane(topics.urgent_events, wakes=[urgent_errands]),
        lane(topics.events, wakes=[urgent_errands, errands]),
    ]


async def run_relay_process(settings: Settings, *, is_child: bool = False) -> None:
    """Run until SIGTERM or SIGINT, then finish what is in hand. A child leaves with its parent."""
    if is_child:
        leave_with_parent()
    runtime = open_runtime(settings)
    wired = wire(runtime)
    registry = wire_registry(runtime, wired)
    holder = Holder(direct_of(runtime.sessions))
    lanes = open_lanes(runtime, registry, holder)
    schedule = Schedule(sessions=runtime.sessions, registry=registry, clock=runtime.clock)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await wired.wechat.start(is_worker=True)
    holding = asyncio.create_task(holder.run())
    await holder.has_tried.wait()
    tasks = [
        asyncio.create_task(running)
        for running in (*(lane.run() for lane in lanes), schedule.run())
    ]
    log.info("relay.started")
    await stopping.wait()
    for lane in lanes:
        lane.stop()
    schedule.stop()
    await wired.wechat.stop()
    await asyncio.wait(tasks, timeout=10)
    holder.stop()
    await asyncio.wait([holding], timeout=2)
    for task in (*tasks, holding):
        task.cancel()
    await runtime.engine.dispose()
    log.info("relay.stopped")

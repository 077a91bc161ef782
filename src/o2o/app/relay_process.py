"""The relay process: outbox, schedule and what WeChat's side does in the background."""

import asyncio
import contextlib
import signal

from o2o.app.runtime import open_runtime
from o2o.app.wiring import wire_relay
from o2o.infra.database import DatabaseAway
from o2o.infra.logging import get_logger
from o2o.infra.relay import Relay
from o2o.infra.schedule import Schedule
from o2o.infra.settings import Settings

log = get_logger(__name__)


async def run_relay_process(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then finish what is in hand."""
    runtime = open_runtime(settings)
    wired = wire_relay(runtime)
    relay = Relay(sessions=runtime.sessions, registry=wired.registry, clock=runtime.clock)
    schedule = Schedule(sessions=runtime.sessions, registry=wired.registry, clock=runtime.clock)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with contextlib.suppress(DatabaseAway):
        await wired.wechat.start()
    tasks = [
        asyncio.create_task(relay.run()),
        asyncio.create_task(schedule.run()),
        *(asyncio.create_task(run()) for run in wired.background),
    ]
    log.info("relay.started")
    await stopping.wait()
    relay.stop()
    schedule.stop()
    await wired.wechat.stop()
    await asyncio.wait(tasks, timeout=10)
    for task in tasks:
        task.cancel()
    await runtime.engine.dispose()
    log.info("relay.stopped")

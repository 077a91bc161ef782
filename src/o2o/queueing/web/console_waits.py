"""The console's page of told waits: how many fell inside their range, by day and by queue."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.queueing.queries.wait_report import (
    TARGET_PERCENT,
    ToldDay,
    list_told_days,
    list_told_queues,
    sum_up,
)
from o2o.queueing.web.console_scope import PAGE, SLOT, get_readable_store, head_of
from o2o.web.console_frame import show_console
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
DAYS_SHOWN = 28
# The chart, in units of its own: a day's width, its bar, and a hundred per cent.
DAY_WIDTH = 24
BAR_WIDTH = 14
CHART_HEIGHT = 120


class Bar(msgspec.Struct, frozen=True):
    """A day in the chart: where its bar stands and how high."""

    day: ToldDay
    x: int
    y: int
    height: int

    @property
    def is_met(self) -> bool:
        """Whether the day reached the target."""
        return (self.day.percent or 0) >= TARGET_PERCENT


class ConsoleQueueWaits(Controller):
    """`/console/queues/{store}/waits`."""

    path = PAGE + "/{store_id:uuid}/waits"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the last four weeks. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        today = business_day(platform.clock.now(), hours=store.hours, timezone=store.timezone)
        since = today - timedelta(days=DAYS_SHOWN - 1)
        days = await list_told_days(tx, store_id=store.id, since=since, until=today)
        return show_console(
            request,
            console_staff,
            "console/queue_waits.html",
            page=SLOT,
            head=await head_of(tx, console_staff, store, tab="waits"),
            days=days,
            bars=[_bar(day, (day.business_on - since).days) for day in days],
            queues=await list_told_queues(tx, store_id=store.id, since=since, until=today),
            together=sum_up(days),
            week=sum_up([day for day in days if day.business_on > today - timedelta(days=7)]),
            target=TARGET_PERCENT,
            chart_width=DAYS_SHOWN * DAY_WIDTH,
            chart_height=CHART_HEIGHT,
            target_y=CHART_HEIGHT - TARGET_PERCENT * CHART_HEIGHT // 100,
            bar_width=BAR_WIDTH,
        )


def _bar(day: ToldDay, place: int) -> Bar:
    height = (day.percent or 0) * CHART_HEIGHT // 100
    x = place * DAY_WIDTH + (DAY_WIDTH - BAR_WIDTH) // 2
    return Bar(day, x, CHART_HEIGHT - height, height)


route_handlers: list[Any] = [ConsoleQueueWaits]

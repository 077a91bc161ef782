"""The console's pages of queues: all stores at a glance, one store's day, its addresses."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.kernel.hours import next_opening, open_span
from o2o.queueing.actions.retire_codes import Published
from o2o.queueing.queries.doors import find_editions
from o2o.queueing.queries.store_figures import QueueFigures, list_queue_figures
from o2o.queueing.web.console_scope import (
    PAGE,
    READERS,
    SLOT,
    get_readable_store,
    head_of,
    list_readable_stores,
    page_of,
)
from o2o.queueing.web.display_links import display_path
from o2o.web.console_frame import show_console
from o2o.web.console_menu import ConsoleMenu
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
# Other parts of the product add figures to a store's page, the report of estimates for one.
PANELS = "console.queue"


class StoreQueueContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a panel of the slot `console.queue` may use."""

    store_id: UUID
    brand_id: UUID
    staff_id: UUID
    can_edit: bool
    now: datetime


class StoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """A store in the list with its day so far."""

    store_id: UUID
    name: str
    city: str
    timezone: str
    is_open: bool
    next_opening_at: datetime | None
    has_queues: bool
    waiting: int
    called: int
    seated: int
    lost: int
    waiting_since: datetime | None


class ConsoleQueues(Controller):
    """`/console/queues`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def list_all(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the stores; somebody with a single one goes straight there. Raises RoleMissing."""
        now = platform.clock.now()
        stores = await list_readable_stores(tx, console_staff)
        if len(stores) == 1:
            return Redirect(page_of(stores[0].id), status_code=303)
        figures = await list_queue_figures(tx, [(s.id, _day_of(s, now)) for s in stores])
        lines = [
            _line(store, [f for f in figures if f.store_id == store.id], now=now)
            for store in stores
        ]
        return show_console(request, console_staff, "console/queues.html", page=SLOT, lines=lines)

    @get("/{store_id:uuid}")
    async def today(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show a store's day. Raises StoreNotFound, RoleMissing."""
        now = platform.clock.now()
        store = await get_readable_store(tx, console_staff, store_id)
        head = await head_of(tx, console_staff, store, tab="today")
        figures = await list_queue_figures(tx, [(store.id, _day_of(store, now))])
        context = StoreQueueContext(
            store_id=store.id,
            brand_id=store.brand_id,
            staff_id=console_staff.staff_id,
            can_edit=head.can_edit,
            now=now,
        )
        editions = await find_editions(tx, store.id)
        path = display_path(platform.seal, store.id, edition=editions.display)
        done = request.query_params.get("done", "")
        return show_console(
            request,
            console_staff,
            "console/queue_today.html",
            page=SLOT,
            head=head,
            line=_line(store, figures, now=now),
            figures=figures,
            display_url=f"{platform.settings.public_url}{path}" if head.can_edit else None,
            editions={
                Published.DOOR.value: editions.door,
                Published.DISPLAY.value: editions.display,
            },
            done=done if done in {one.value for one in Published} else "",
            panels=await platform.panels.load(PANELS, tx, context),
        )


def _day_of(store: Store, now: datetime) -> date:
    return business_day(now, hours=store.hours, timezone=store.timezone)


def _line(store: Store, figures: list[QueueFigures], *, now: datetime) -> StoreLine:
    when: dict[str, Any] = {
        "hours": store.hours,
        "timezone": store.timezone,
        "exceptions": store.hours_exceptions,
    }
    is_open = open_span(now, **when) is not None
    since = [queue.waiting_since for queue in figures if queue.waiting_since]
    return StoreLine(
        store_id=store.id,
        name=store.name,
        city=store.city,
        timezone=store.timezone,
        is_open=is_open,
        next_opening_at=None if is_open else next_opening(now, **when),
        has_queues=any(not queue.is_retired for queue in figures),
        waiting=sum(queue.waiting for queue in figures),
        called=sum(queue.called for queue in figures),
        seated=sum(queue.seated for queue in figures),
        lost=sum(queue.cancelled + queue.missed for queue in figures),
        waiting_since=min(since) if since else None,
    )


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the pages to the console's menu."""
    menu.add(
        slot=SLOT, href=PAGE, label="queueing_console.menu", icon="queue", roles=READERS, order=350
    )


route_handlers: list[Any] = [ConsoleQueues]

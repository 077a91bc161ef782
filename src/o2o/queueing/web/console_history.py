"""The console's page of a store's past tickets: a day's numbers, what happened, who did it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.kernel.text import mask_name
from o2o.queueing.queries.store_figures import list_queue_figures
from o2o.queueing.queries.ticket_history import list_past_tickets
from o2o.queueing.web.console_scope import PAGE, SLOT, get_readable_store, head_of
from o2o.web.console_frame import show_console
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
Day = Annotated[str, QueryParameter(max_length=10)]
Id = Annotated[str, QueryParameter(max_length=36)]


class ConsoleQueueHistory(Controller):
    """`/console/queues/{store}/history`."""

    path = PAGE + "/{store_id:uuid}/history"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
        day: Day = "",
        queue: Id = "",
        after: Id = "",
    ) -> Response[Any]:
        """Show a day's tickets as they were taken. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        today = _today(store, platform.clock.now())
        shown = min(_date(day) or today, today)
        tickets, further = await list_past_tickets(
            tx, store_id=store.id, day=shown, queue_id=_id(queue), after=_id(after)
        )
        return show_console(
            request,
            console_staff,
            "console/queue_history.html",
            page=SLOT,
            head=await head_of(tx, console_staff, store, tab="history"),
            day=shown.isoformat(),
            today=today.isoformat(),
            queues=await list_queue_figures(tx, [(store.id, shown)]),
            chosen=queue,
            is_first_page=not after,
            tickets=tickets,
            names={t.ticket_id: mask_name(t.member_name) for t in tickets},
            further=further,
        )


def _today(store: Store, now: datetime) -> date:
    return business_day(now, hours=store.hours, timezone=store.timezone)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


route_handlers: list[Any] = [ConsoleQueueHistory]

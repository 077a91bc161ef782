"""The console's page of a hall's own queue machine: its key, and what was last heard of it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.queueing.actions.issue_bridge_key import issue_bridge_key
from o2o.queueing.queries.bridges import find_bridge, list_machine_news
from o2o.queueing.queries.queues import list_queues
from o2o.queueing.web.console_scope import (
    PAGE,
    SLOT,
    actor_of,
    get_managed_store,
    get_readable_store,
    head_of,
)
from o2o.web.console_frame import show_console
from o2o.web.guards import console_guard
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]


class ConsoleBridge(Controller):
    """`/console/queues/{store}/bridge`."""

    path = PAGE + "/{store_id:uuid}/bridge"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what the machine last said. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        return await _page(request, tx, console_staff, store)

    @post("/key")
    async def issue(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Issue a key and show it, this once. Raises StoreNotFound, RoleMissing."""
        store = await get_managed_store(tx, console_staff, store_id)
        key = await issue_bridge_key(
            tx,
            store_id=store.id,
            seal=platform.seal,
            actor=actor_of(console_staff),
            now=platform.clock.now(),
        )
        return await _page(request, tx, console_staff, store, key=key)


async def _page(
    request: AnyRequest, tx: Tx, person: ConsoleStaff, store: Store, *, key: str | None = None
) -> Response[Any]:
    platform = platform_of(request)
    now = platform.clock.now()
    bridge = await find_bridge(tx, store.id)
    news = await list_machine_news(tx, [store.id])
    return show_console(
        request,
        person,
        "console/queue_bridge.html",
        page=SLOT,
        head=await head_of(tx, person, store, tab="bridge"),
        bridge=bridge,
        key=key,
        product_url=platform.settings.public_url,
        queues=[
            (queue, news.get(queue.queue_id)) for queue in await list_queues(tx, store.id, now=now)
        ],
        is_silent=any(one.is_silent(now) for one in news.values()),
    )


route_handlers: list[Any] = [ConsoleBridge]

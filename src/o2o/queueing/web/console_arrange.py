"""The console's page of a store's queues and desks: add, change, do without."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.statuses import BrandKind, QueueKind
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.actions.arrange_desks import add_desk, change_desk, remove_desk
from o2o.queueing.actions.arrange_queues import add_queue, change_queue, retire_queue
from o2o.queueing.queries.arranged import ArrangedQueue, list_arranged_queues
from o2o.queueing.queries.desks import list_desks
from o2o.queueing.rules.arrangement import QUEUES_MAX
from o2o.queueing.web.console_forms import Form, read_desk, read_ids, read_queue, typed
from o2o.queueing.web.console_scope import (
    PAGE,
    SLOT,
    actor_of,
    get_managed_store,
    get_readable_store,
    head_of,
    page_of,
)
from o2o.stores.queries import get_brand
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
TAB = "/queues"
DONE = frozenset(
    {
        "queue_added",
        "queue_changed",
        "queue_retired",
        "desk_added",
        "desk_changed",
        "desk_removed",
    }
)
KINDS = {BrandKind.RESTAURANT: QueueKind.TABLE_CLASS, BrandKind.HALL: QueueKind.SERVICE_LINE}


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent and refused: for which form, the words typed, what stands in the way."""

    # "queue" or "desk"; the id of the one being changed, empty for a new one.
    form: str
    id: str
    values: dict[str, str]
    queue_ids: list[str]
    fault: Fault


class ConsoleArrange(Controller):
    """`/console/queues/{store}/queues` and `…/desks`."""

    path = PAGE + "/{store_id:uuid}"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/queues")
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the queues and desks. Raises StoreNotFound, RoleMissing."""
        return await _page(request, tx, console_staff, store_id=store_id)

    @post("/queues")
    async def add(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Add a queue, closed at first. Raises what add_queue raises."""
        store = await get_managed_store(tx, console_staff, store_id)
        brand = await get_brand(tx, store.brand_id)
        form = dict(await request.form())
        try:
            await add_queue(
                tx,
                read_queue(form),
                store_id=store_id,
                kind=KINDS[brand.kind],
                actor=actor_of(console_staff),
                now=platform.clock.now(),
            )
        except Fact as fact:
            return await _refused(
                request, tx, console_staff, store_id=store_id, what=("queue", ""), fact=fact
            )
        return go_on(request, page_of(store_id, f"{TAB}?done=queue_added"))

    @post("/queues/{queue_id:uuid}")
    async def change(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        queue_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Change a queue. Raises what change_queue raises."""
        await get_managed_store(tx, console_staff, store_id)
        form = dict(await request.form())
        try:
            await change_queue(
                tx,
                queue_id,
                read_queue(form),
                store_id=store_id,
                actor=actor_of(console_staff),
                now=platform.clock.now(),
            )
        except Fact as fact:
            return await _refused(
                request,
                tx,
                console_staff,
                store_id=store_id,
                what=("queue", str(queue_id)),
                fact=fact,
            )
        return go_on(request, page_of(store_id, f"{TAB}?done=queue_changed"))

    @post("/queues/{queue_id:uuid}/retirements")
    async def retire(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        queue_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Do without a queue. Raises what retire_queue raises."""
        await get_managed_store(tx, console_staff, store_id)
        try:
            await retire_queue(
                tx,
                queue_id,
                store_id=store_id,
                actor=actor_of(console_staff),
                now=platform.clock.now(),
            )
        except Fact as fact:
            return await _refused(
                request,
                tx,
                console_staff,
                store_id=store_id,
                what=("queue", str(queue_id)),
                fact=fact,
            )
        return go_on(request, page_of(store_id, f"{TAB}?done=queue_retired"))

    @post("/desks")
    async def add_desk(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Add a desk. Raises what add_desk raises."""
        await get_managed_store(tx, console_staff, store_id)
        form = await request.form()
        try:
            await add_desk(
                tx,
                read_desk(form),
                queue_ids=read_ids(form.getall("queue_id", [])),
                store_id=store_id,
                actor=actor_of(console_staff),
                now=platform.clock.now(),
            )
        except Fact as fact:
            return await _refused(
                request, tx, console_staff, store_id=store_id, what=("desk", ""), fact=fact
            )
        return go_on(request, page_of(store_id, f"{TAB}?done=desk_added"))

    @post("/desks/{desk_id:uuid}")
    async def change_desk(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        desk_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Change a desk. Raises what change_desk raises."""
        await get_managed_store(tx, console_staff, store_id)
        form = await request.form()
        try:
            await change_desk(
                tx,
                desk_id,
                read_desk(form),
                queue_ids=read_ids(form.getall("queue_id", [])),
                store_id=store_id,
                actor=actor_of(console_staff),
                now=platform.clock.now(),
            )
        except Fact as fact:
            return await _refused(
                request,
                tx,
                console_staff,
                store_id=store_id,
                what=("desk", str(desk_id)),
                fact=fact,
            )
        return go_on(request, page_of(store_id, f"{TAB}?done=desk_changed"))

    @post("/desks/{desk_id:uuid}/removals")
    async def remove_desk(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        desk_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Remove a desk. Raises DeskNotFound."""
        await get_managed_store(tx, console_staff, store_id)
        await remove_desk(
            tx,
            desk_id,
            store_id=store_id,
            actor=actor_of(console_staff),
            now=platform.clock.now(),
        )
        return go_on(request, page_of(store_id, f"{TAB}?done=desk_removed"))


async def _refused(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    store_id: UUID,
    what: tuple[str, str],
    fact: Fact,
) -> Response[Any]:
    """Show the page again with what was typed and what stands in the way."""
    if is_for_program(request):
        raise fact
    form = await request.form()
    values: Form = dict(form)
    refused = Typed(
        form=what[0],
        id=what[1],
        values={name: typed(values, name) for name in values if name != "csrf"},
        queue_ids=[str(value) for value in form.getall("queue_id", [])],
        fault=fault_of(request, fact),
    )
    return await _page(request, tx, person, store_id=store_id, refused=refused, status=fact.status)


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    store_id: UUID,
    refused: Typed | None = None,
    status: int = 200,
) -> Response[Any]:
    store = await get_readable_store(tx, person, store_id)
    brand = await get_brand(tx, store.brand_id)
    now = platform_of(request).clock.now()
    queues = await list_arranged_queues(tx, store, now=now)
    done = request.query_params.get("done")
    return show_console(
        request,
        person,
        "console/queue_arrange.html",
        page=SLOT,
        status=status,
        head=await head_of(tx, person, store, tab="queues"),
        kind=KINDS[brand.kind].value,
        queues=queues,
        desks=await list_desks(tx, store_id),
        next_letter=_next_letter(queues),
        next_rank=max((queue.rank for queue in queues), default=0) + 1,
        refused=refused,
        done=done if done in DONE else None,
    )


def _next_letter(queues: list[ArrangedQueue]) -> str:
    taken = {queue.code for queue in queues}
    letters = [chr(ord("A") + place) for place in range(QUEUES_MAX)]
    return next((letter for letter in letters if letter not in taken), "")


route_handlers: list[Any] = [ConsoleArrange]

"""The pad's queue screen: every queue live, call, move, take a number, open and close."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import QueueStatus, TicketSource
from o2o.infra.audit import Actor
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.actions.run_queues import close_queue, open_queue, pause_queue
from o2o.queueing.booking_commands import ChangeBooking
from o2o.queueing.bookings import Bookings
from o2o.queueing.brief import briefly
from o2o.queueing.commands import CallNext, MoveTicket, MoveToQueue, TakeTicket, Verb
from o2o.queueing.desk_work import Queues
from o2o.queueing.errors_arrange import DeskNotFound
from o2o.queueing.queries.desks import list_desks
from o2o.queueing.web.pad_frames import desk_cookie, desk_guard, get_standing
from o2o.queueing.web.pad_show import PAGE, show_board, show_queue_page, show_slip, show_take
from o2o.web.answers import is_for_program
from o2o.web.errors import RouteNotFound
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk

AnyRequest = Request[Any, Any, Any]
# Out of turn only a hall's own machine calls.
MOVES = frozenset(set(Verb) - {Verb.CALL})
Form = RequestEncodingType.URL_ENCODED


class ChooseDesk(msgspec.Struct, forbid_unknown_fields=True):
    """Where this pad stands."""

    desk_id: UUID
    csrf: str = ""


class CallForm(msgspec.Struct, forbid_unknown_fields=True):
    """The next party, of the desk's queues or of one."""

    request_id: UUID
    queue_id: UUID | None = None
    csrf: str = ""


class TakeForm(msgspec.Struct, forbid_unknown_fields=True):
    """A number for a party: of the class that fits, or of a named queue."""

    request_id: UUID
    party_size: Annotated[int, msgspec.Meta(ge=-999, le=9999)]
    queue_id: UUID | None = None
    csrf: str = ""


class MoveForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something is done to a ticket."""

    request_id: UUID
    queue_id: UUID | None = None
    csrf: str = ""


class RunForm(msgspec.Struct, forbid_unknown_fields=True):
    """How a queue is to stand."""

    status: QueueStatus
    csrf: str = ""


class PadQueuePages(Controller):
    """`/pad/queue`."""

    path = PAGE
    guards = [pad_guard, desk_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self, request: AnyRequest, tx: NamedDependency[Tx], clerk: NamedDependency[Clerk]
    ) -> Response[Any]:
        """Show all queues of the pad's store."""
        return await show_queue_page(request, tx, clerk)

    @get("/board")
    async def board(
        self, request: AnyRequest, tx: NamedDependency[Tx], clerk: NamedDependency[Clerk]
    ) -> Response[Any]:
        """Show what changes alone."""
        return await show_board(request, tx, clerk)

    @get("/take")
    async def choose(
        self, request: AnyRequest, tx: NamedDependency[Tx], clerk: NamedDependency[Clerk]
    ) -> Response[Any]:
        """Show the sizes and lines to take a number for."""
        return await show_take(request, tx, clerk)

    @get("/tickets/{ticket_id:uuid}")
    async def slip(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
    ) -> Response[Any]:
        """Show a number to hand over. Raises TicketNotFound."""
        return await show_slip(request, tx, clerk, ticket_id=ticket_id)

    @post("/desk")
    async def stand(
        self,
        request: AnyRequest,
        data: Annotated[ChooseDesk, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Remember where this pad stands. Raises DeskNotFound."""
        desks = await list_desks(tx, clerk.store_id)
        if all(desk.desk_id != data.desk_id for desk in desks):
            raise DeskNotFound
        return go_on(request, PAGE, cookies=[desk_cookie(platform.settings, data.desk_id)])

    @post("/calls")
    async def call(
        self,
        request: AnyRequest,
        data: Annotated[CallForm, Body(media_type=Form)],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Call the next party here. Raises DeskNotChosen and what Queues.call raises."""
        try:
            standing = await get_standing(request, clerk, platform=platform)
            assert standing.desk is not None
            called = await queues.call(
                CallNext(
                    request_id=data.request_id,
                    queue_ids=(data.queue_id,) if data.queue_id else standing.queue_ids,
                    desk=standing.desk,
                    brand_id=clerk.brand_id,
                    store_id=clerk.store_id,
                    staff_id=clerk.staff_id,
                    pad_id=clerk.pad_id,
                    now=platform.clock.now(),
                )
            )
        except Fact as fact:
            return await _refused(request, clerk, platform, fact)
        return go_on(request, f"{PAGE}?done=call&ticket={called.ticket_id}")

    @post("/tickets")
    async def take(
        self,
        request: AnyRequest,
        data: Annotated[TakeForm, Body(media_type=Form)],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Take a number for whoever stands here. Raises what Queues.take raises."""
        try:
            taken = await queues.take(
                TakeTicket(
                    request_id=data.request_id,
                    store_id=clerk.store_id,
                    queue_id=data.queue_id,
                    brand_id=clerk.brand_id,
                    party_size=data.party_size,
                    source=TicketSource.PAD,
                    staff_id=clerk.staff_id,
                    pad_id=clerk.pad_id,
                    now=platform.clock.now(),
                )
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            refused = fact
            return await briefly(
                platform.sessions, lambda tx: show_take(request, tx, clerk, fact=refused)
            )
        return go_on(request, f"{PAGE}/tickets/{taken.ticket_id}")

    @post("/tickets/{ticket_id:uuid}/queue")
    async def transfer(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        data: Annotated[MoveForm, Body(media_type=Form)],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Let a party go on in another queue. Raises what Queues.transfer raises."""
        try:
            if data.queue_id is None:
                raise RouteNotFound
            taken = await queues.transfer(
                MoveToQueue(
                    request_id=data.request_id,
                    ticket_id=ticket_id,
                    queue_id=data.queue_id,
                    brand_id=clerk.brand_id,
                    store_id=clerk.store_id,
                    staff_id=clerk.staff_id,
                    pad_id=clerk.pad_id,
                    now=platform.clock.now(),
                )
            )
        except Fact as fact:
            return await _refused(request, clerk, platform, fact)
        return go_on(request, f"{PAGE}?done=transfer&ticket={taken.ticket_id}")

    @post("/tickets/{ticket_id:uuid}/{verb:str}")
    async def move(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        verb: FromPath[str],
        data: Annotated[MoveForm, Body(media_type=Form)],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Do something to a ticket. Raises RouteNotFound and what Queues.move raises."""
        if verb not in MOVES:
            raise RouteNotFound
        try:
            desk = None
            if verb == Verb.RECALL:
                desk = (await get_standing(request, clerk, platform=platform)).desk
            moved = await queues.move(
                Verb(verb),
                MoveTicket(
                    request_id=data.request_id,
                    ticket_id=ticket_id,
                    brand_id=clerk.brand_id,
                    store_id=clerk.store_id,
                    staff_id=clerk.staff_id,
                    pad_id=clerk.pad_id,
                    desk=desk,
                    now=platform.clock.now(),
                ),
            )
        except Fact as fact:
            return await _refused(request, clerk, platform, fact)
        return go_on(request, f"{PAGE}?done={verb}&ticket={moved.ticket_id}&code={moved.code}")

    @post("/arrivals/{booking_id:uuid}")
    async def arrive(
        self,
        request: AnyRequest,
        booking_id: FromPath[UUID],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
        bookings: NamedDependency[Bookings],
    ) -> Response[Any]:
        """Give somebody who booked a number. Raises what Bookings.arrive raises."""
        try:
            arrived = await bookings.arrive(
                ChangeBooking(
                    booking_id=booking_id,
                    brand_id=clerk.brand_id,
                    store_id=clerk.store_id,
                    staff_id=clerk.staff_id,
                    pad_id=clerk.pad_id,
                    now=platform.clock.now(),
                )
            )
        except Fact as fact:
            return await _refused(request, clerk, platform, fact)
        return go_on(request, f"{PAGE}?done=arrive&ticket={arrived.ticket_id}")

    @post("/queues/{queue_id:uuid}/status")
    async def run(
        self,
        request: AnyRequest,
        queue_id: FromPath[UUID],
        data: Annotated[RunForm, Body(media_type=Form)],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Open, pause or close a queue. Raises QueueNotFound, MoveNotAllowed."""
        run = {
            QueueStatus.OPEN: open_queue,
            QueueStatus.PAUSED: pause_queue,
            QueueStatus.CLOSED: close_queue,
        }[data.status]
        try:
            await briefly(
                platform.sessions,
                lambda tx: run(
                    tx,
                    queue_id,
                    actor=Actor("staff", clerk.staff_id),
                    now=platform.clock.now(),
                    brand_id=clerk.brand_id,
                    store_id=clerk.store_id,
                ),
            )
        except Fact as fact:
            return await _refused(request, clerk, platform, fact)
        return go_on(request, f"{PAGE}?done={data.status.value}&queue={queue_id}")


async def _refused(
    request: AnyRequest, clerk: Clerk, platform: Platform, fact: Fact
) -> Response[Any]:
    """Say what stands in the way: to a script as such, to a person on the page as it is now."""
    if is_for_program(request):
        raise fact
    return await briefly(
        platform.sessions, lambda tx: show_queue_page(request, tx, clerk, fact=fact)
    )


route_handlers: list[Any] = [PadQueuePages]

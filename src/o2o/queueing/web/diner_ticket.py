"""`/h5/{account}/tickets/{id}`: a number of one's own: where it stands, leaving, coming back."""

from collections.abc import Awaitable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.membership.errors import SnapshotSession
from o2o.queueing.actions.claim_paper_ticket import claim_paper_ticket
from o2o.queueing.commands import MoveTicket, Verb
from o2o.queueing.desk_work import Queues
from o2o.queueing.errors import TicketAlreadyActive, TicketNotFound
from o2o.queueing.queries.bridges import find_machine
from o2o.queueing.queries.own_tickets import Holder, get_own_ticket
from o2o.queueing.queries.paper import get_paper_ticket
from o2o.queueing.web.doors import read_paper
from o2o.web.diner_frame import frame_of
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]


class MoveForm(msgspec.Struct, frozen=True, kw_only=True):
    """A button of the page, pressed once however often it is tapped."""

    request_id: UUID
    csrf: str = ""


class DinerTicketPages(Controller):
    """The page of a number, and what its party may do with it."""

    path = "/h5/{account:str}/tickets/{ticket_id:uuid}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show_ticket(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Show how the number stands. Raises TicketNotFound for everybody else's, too."""
        return await _page(request, tx, diner, ticket_id=ticket_id)

    @get("/cancel")
    async def ask_cancel(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Ask whether the number is to be given up: where a link leads, nothing happens yet."""
        return await _page(request, tx, diner, ticket_id=ticket_id, asks_cancel=True)

    @post("/cancel")
    async def cancel(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        data: Annotated[MoveForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Give the number up."""
        command = _command(request, diner, ticket_id=ticket_id, request_id=data.request_id)
        return await _move(
            request, tx, diner, ticket_id=ticket_id, moving=queues.move(Verb.CANCEL, command)
        )

    @post("/return")
    async def come_back(
        self,
        request: AnyRequest,
        ticket_id: FromPath[UUID],
        data: Annotated[MoveForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Come back into the line after a call that was missed."""
        command = _command(request, diner, ticket_id=ticket_id, request_id=data.request_id)
        return await _move(
            request, tx, diner, ticket_id=ticket_id, moving=queues.move(Verb.RETURN, command)
        )


class DinerPaperPages(Controller):
    """`/h5/{account}/paper/{code}`: a number that was given on paper goes onto a phone."""

    path = "/h5/{account:str}/paper/{code:str}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def ask_claim(
        self,
        request: AnyRequest,
        code: FromPath[str],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Show whose number it is about to be; the owner goes on to its page."""
        frame = frame_of(diner, language=language_of(request), tab="queue")
        if diner.is_snapshot:
            return show(request, "diner/snapshot.html", frame=frame)
        paper = await get_paper_ticket(
            tx, read_paper(platform_of(request).seal, code), holder=holder_of(diner)
        )
        if paper.is_own:
            return go_on(request, f"/h5/{diner.account_slug}/tickets/{paper.ticket_id}")
        return show(request, "diner/paper.html", frame=frame, view=paper, code=code, fault=None)

    @post()
    async def claim(
        self,
        request: AnyRequest,
        code: FromPath[str],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Take the number onto this phone. Raises SnapshotSession."""
        if diner.is_snapshot:
            raise SnapshotSession
        ticket_id = read_paper(platform_of(request).seal, code)
        try:
            await claim_paper_ticket(tx, ticket_id=ticket_id, holder=holder_of(diner))
        except TicketAlreadyActive as fact:
            return go_on(request, f"/h5/{diner.account_slug}/tickets/{fact.ticket_id}")
        return go_on(request, f"/h5/{diner.account_slug}/tickets/{ticket_id}")


def holder_of(diner: Diner) -> Holder:
    """Return whose numbers a session may see."""
    return Holder(fan_id=diner.fan_id, member_id=diner.member_id, brand_id=diner.brand_id)


def _command(request: AnyRequest, diner: Diner, *, ticket_id: UUID, request_id: UUID) -> MoveTicket:
    """Say what the party wants done to its own number. Raises SnapshotSession."""
    if diner.is_snapshot:
        raise SnapshotSession
    return MoveTicket(
        request_id=request_id,
        ticket_id=ticket_id,
        brand_id=diner.brand_id,
        is_by_guest=True,
        fan_id=diner.fan_id,
        member_id=diner.member_id,
        now=platform_of(request).clock.now(),
    )


async def _move(
    request: AnyRequest, tx: Tx, diner: Diner, *, ticket_id: UUID, moving: Awaitable[object]
) -> Response[Any]:
    """Go back to the page; what stands in the way is shown there. Raises TicketNotFound."""
    try:
        await moving
    except TicketNotFound:
        raise
    except Fact as fact:
        fault = fault_of(request, fact)
        return await _page(request, tx, diner, ticket_id=ticket_id, fault=fault, status=fact.status)
    return go_on(request, f"/h5/{diner.account_slug}/tickets/{ticket_id}")


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    ticket_id: UUID,
    asks_cancel: bool = False,
    fault: Fault | None = None,
    status: int = 200,
) -> Response[Any]:
    frame = frame_of(diner, language=language_of(request), tab="queue")
    if diner.is_snapshot:
        return show(request, "diner/snapshot.html", frame=frame)
    now = platform_of(request).clock.now()
    ticket = await get_own_ticket(tx, ticket_id, holder_of(diner), now=now)
    return show(
        request,
        "diner/ticket.html",
        status=status,
        frame=frame,
        view=ticket,
        machine=await find_machine(tx, ticket.store_id, now=now),
        asks_cancel=asks_cancel and ticket.is_active,
        request_id=new_request_id(),
        fault=fault,
    )

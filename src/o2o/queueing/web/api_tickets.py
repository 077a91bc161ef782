"""The JSON API of tickets: how one stands, and everything that can be done to it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.kernel.text import without_controls
from o2o.queueing.desk_work import MoveTicket, MoveToQueue, Queues, Verb
from o2o.queueing.queries.tickets import get_ticket
from o2o.queueing.web.api_views import (
    READ,
    WRITE,
    ChangeTicket,
    MovedView,
    TakenView,
    TicketStandsView,
    TransferTicket,
    moved_answer,
    taken_answer,
    ticket_view,
)
from o2o.web.api_parts import READ_RESPONSES, named, write_responses
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.platform import platform_of
from o2o.web.principals import APIClient
from o2o.web.strict_json import refuse_lenient_json


class TicketAPI(Controller):
    """`/api/v1/tickets/{id}` and what can be done to it."""

    path = "/tickets/{ticket_id:uuid}"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["queues"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @get(opt={"scope": READ}, summary="How a ticket stands", responses=READ_RESPONSES)
    async def ticket(
        self,
        ticket_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clock: NamedDependency[Clock],
        client: NamedDependency[APIClient],
    ) -> TicketStandsView:
        """Answer the ticket with how many are ahead of it and how long it still waits."""
        found = await get_ticket(tx, ticket_id, now=clock.now(), brand_id=client.brand_id)
        return ticket_view(found)

    @post(
        "/recall",
        opt={"scope": WRITE},
        summary="Call a party again",
        responses=write_responses(MovedView),
    )
    async def recall(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[ChangeTicket],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[MovedView]:
        """Answer 201, or 200 when sent again. To `desk`, or to where it was called before."""
        command = _command(ticket_id, data, request)
        return moved_answer(await queues.move(Verb.RECALL, command))

    @post(
        "/skip",
        opt={"scope": WRITE},
        summary="Pass over a party that did not come",
        responses=write_responses(MovedView),
    )
    async def skip(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[ChangeTicket],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[MovedView]:
        """Answer 201, or 200 when sent again."""
        command = _command(ticket_id, data, request)
        return moved_answer(await queues.move(Verb.SKIP, command))

    @post(
        "/return",
        opt={"scope": WRITE},
        summary="Put a party that missed its call back into the line",
        responses=write_responses(MovedView),
    )
    async def put_back(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[ChangeTicket],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[MovedView]:
        """Answer 201, or 200 when sent again."""
        command = _command(ticket_id, data, request)
        return moved_answer(await queues.move(Verb.RETURN, command))

    @post(
        "/seat",
        opt={"scope": WRITE},
        summary="The party is served",
        responses=write_responses(MovedView),
    )
    async def seat(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[ChangeTicket],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[MovedView]:
        """Answer 201, or 200 when sent again."""
        command = _command(ticket_id, data, request)
        return moved_answer(await queues.move(Verb.SEAT, command))

    @post(
        "/cancel",
        opt={"scope": WRITE},
        summary="The party is not coming any more, or is sent home",
        responses=write_responses(MovedView),
    )
    async def cancel(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[ChangeTicket],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[MovedView]:
        """Answer 201, or 200 when sent again."""
        command = _command(ticket_id, data, request)
        return moved_answer(await queues.move(Verb.CANCEL, command))

    @post(
        "/transfer",
        opt={"scope": WRITE},
        summary="Go on in another queue of the store",
        responses=write_responses(TakenView),
    )
    async def transfer(
        self,
        ticket_id: FromPath[UUID],
        data: JSONBody[TransferTicket],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[TakenView]:
        """Answer 201 with the new number, or 200 with the same body when sent again."""
        client = provide_api_client(request)
        taken = await queues.transfer(
            MoveToQueue(
                request_id=named(data.request_id),
                ticket_id=ticket_id,
                queue_id=data.queue_id,
                party_size=data.party_size,
                brand_id=client.brand_id,
                api_key_id=client.key_id,
                reason=_readable(data.reason),
                now=platform_of(request).clock.now(),
            )
        )
        return taken_answer(taken)


def _command(ticket_id: UUID, data: ChangeTicket, request: Request[Any, Any, Any]) -> MoveTicket:
    client = provide_api_client(request)
    return MoveTicket(
        request_id=named(data.request_id),
        ticket_id=ticket_id,
        brand_id=client.brand_id,
        api_key_id=client.key_id,
        desk=data.desk,
        reason=_readable(data.reason),
        now=platform_of(request).clock.now(),
    )


def _readable(reason: str | None) -> str | None:
    # PostgreSQL takes neither NUL nor half a surrogate pair.
    return without_controls(reason.encode("utf-8", "ignore").decode()) or None if reason else None


route_handlers = [TicketAPI]

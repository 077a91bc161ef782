"""The JSON API of queues: how long they are, taking numbers, calling the next party."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.crm.statuses import TicketSource
from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.queueing.desk_work import CallNext, Queues, TakeTicket
from o2o.queueing.queries.queues import list_queues
from o2o.queueing.web.api_views import (
    INTEGER_MAX,
    READ,
    WRITE,
    CallParty,
    CallView,
    StoreQueuesView,
    TakeNumber,
    TakenView,
    called_answer,
    queue_view,
    taken_answer,
)
from o2o.stores.queries import get_store
from o2o.web.api_parts import READ_RESPONSES, named, write_responses
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.platform import platform_of
from o2o.web.principals import APIClient
from o2o.web.strict_json import refuse_lenient_json


class StoreQueuesAPI(Controller):
    """`/api/v1/stores/{id}/queues`."""

    path = "/stores/{store_id:uuid}/queues"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["queues"]  # noqa: RUF012 - likewise

    @get(opt={"scope": READ}, summary="How long a store's queues are", responses=READ_RESPONSES)
    async def queues(
        self,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clock: NamedDependency[Clock],
        client: NamedDependency[APIClient],
    ) -> StoreQueuesView:
        """Answer the store's queues with who was called last and how many wait."""
        store = await get_store(tx, store_id, brand_id=client.brand_id)
        states = await list_queues(tx, store.id, now=clock.now())
        return StoreQueuesView(store_id=store.id, queues=[queue_view(state) for state in states])


class QueueAPI(Controller):
    """`/api/v1/queues/{id}/tickets` and `/calls`.

    Who asks and what time it is are taken from the request, as in the API of stored value: for more
    than one dependency the framework starts a group of tasks, which costs a tenth of a number.
    """

    path = "/queues/{queue_id:uuid}"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["queues"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @post(
        "/tickets",
        opt={"scope": WRITE},
        summary="Take a number",
        responses=write_responses(TakenView),
    )
    async def take(
        self,
        queue_id: FromPath[UUID],
        data: JSONBody[TakeNumber],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[TakenView]:
        """Answer 201, or 200 with the same body when sent again."""
        client = provide_api_client(request)
        taken = await queues.take(
            TakeTicket(
                request_id=named(data.request_id),
                queue_id=queue_id,
                brand_id=client.brand_id,
                party_size=min(data.party_size, INTEGER_MAX),
                source=TicketSource.API,
                member_id=data.member_id,
                api_key_id=client.key_id,
                now=platform_of(request).clock.now(),
            )
        )
        return taken_answer(taken)

    @post(
        "/calls",
        opt={"scope": WRITE},
        summary="Call the next party to a desk",
        responses=write_responses(CallView),
    )
    async def call(
        self,
        queue_id: FromPath[UUID],
        data: JSONBody[CallParty],
        queues: NamedDependency[Queues],
        request: Request[Any, Any, Any],
    ) -> Response[CallView]:
        """Answer 201, or 200 with the same body when sent again. Nobody waits: `queue.empty`."""
        client = provide_api_client(request)
        called = await queues.call(
            CallNext(
                request_id=named(data.request_id),
                queue_ids=(queue_id,),
                desk=data.desk,
                brand_id=client.brand_id,
                api_key_id=client.key_id,
                now=platform_of(request).clock.now(),
            )
        )
        return called_answer(called)


route_handlers = [StoreQueuesAPI, QueueAPI]

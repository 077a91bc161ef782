"""The JSON API of points: grant them, spend them."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.membership.desk import Desk
from o2o.membership.web.api_parts import Reason, named, readable, write_responses
from o2o.web.errors import RequestInvalid
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.strict_json import refuse_lenient_json


class MovePoints(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`delta` above 0 grants points, which live as long as the programme says; below 0 it spends
    them, oldest first. Without a store the member's own stands in the books, else the brand's
    first.
    """

    request_id: UUID
    delta: int
    reason: Reason
    store_id: UUID | None = None


class PointsView(msgspec.Struct, frozen=True):
    """What happened to the points: the transfer, and how many the member had right after."""

    transfer_id: UUID
    points: int


class PointsAPI(Controller):
    """`/api/v1/members/{id}/points`."""

    path = "/members/{member_id:uuid}/points"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["points"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @post(
        opt={"scope": "points:write"},
        summary="Grant or spend points",
        responses=write_responses(PointsView),
    )
    async def move_points(
        self,
        member_id: FromPath[UUID],
        data: JSONBody[MovePoints],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
    ) -> Response[PointsView]:
        """Answer 201, or 200 with the same body when sent again."""
        if data.delta == 0:
            raise RequestInvalid(field="delta", reason="0 moves nothing")
        client = provide_api_client(request)
        moved = await desk.move_points(
            request_id=named(data.request_id),
            member_id=member_id,
            delta=data.delta,
            store_id=data.store_id,
            reason=readable(data.reason),
            key_id=client.key_id,
            brand_id=client.brand_id,
        )
        view = PointsView(moved.transfer_id, moved.points_balance)
        return Response(view, status_code=200 if moved.is_replay else 201)


route_handlers = [PointsAPI]

"""When the member's phone has no network: find the member by the end of the phone number."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.counter_steps import CounterSteps
from o2o.membership.queries.lookups import FOUND_MAX, FoundMember
from o2o.membership.web.pad_pages import at_pad, counter_guard
from o2o.membership.web.pad_views import pad_frame
from o2o.web.answers import is_for_program
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
Tail = Annotated[str, msgspec.Meta(max_length=64)]


class LookUpForm(msgspec.Struct, forbid_unknown_fields=True):
    """The last digits of a phone number, four at least."""

    tail: Tail
    csrf: str = ""


class ChooseForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which of those who were found it is; the digits once more, because they are checked again."""

    tail: Tail
    member_id: UUID
    csrf: str = ""


class LookupPages(Controller):
    """`/pad/lookup`. `tx` is not used before a step is done: it has connections of its own."""

    path = "/pad"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/lookup")
    async def ask(
        self, request: AnyRequest, tx: NamedDependency[Tx], clerk: NamedDependency[Clerk]
    ) -> Response[str]:
        """Ask for the digits."""
        return await _page(request, tx, clerk)

    @post("/lookup", status_code=200)
    async def look_up(
        self,
        request: AnyRequest,
        data: Annotated[LookUpForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Show who it may be, masked. Raises TailTooShort, LookupLocked."""
        try:
            found = await _steps(platform).look_up(data.tail, by=at_pad(clerk))
        except Fact as fact:
            if is_for_program(request):
                raise
            fault = fault_of(request, fact)
            return await _page(request, tx, clerk, fault=fault, status=fact.status)
        if is_for_program(request):
            return Response({"found": found}, headers={"Cache-Control": "no-store"})
        return await _page(request, tx, clerk, tail=data.tail, found=found)

    @post("/visits/by-phone")
    async def choose(
        self,
        request: AnyRequest,
        data: Annotated[ChooseForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Open a visit that identifies only. Raises what identify_by_tail raises."""
        try:
            visit = await _steps(platform).identify_by_tail(
                data.tail, member_id=data.member_id, by=at_pad(clerk)
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            fault = fault_of(request, fact)
            return await _page(request, tx, clerk, fault=fault, status=fact.status)
        return go_on(request, f"/pad/visits/{visit.visit_id}")


def _steps(platform: Platform) -> CounterSteps:
    return CounterSteps(sessions=platform.sessions, clock=platform.clock)


async def _page(
    request: AnyRequest,
    tx: Tx,
    clerk: Clerk,
    *,
    tail: str = "",
    found: list[FoundMember] | None = None,
    fault: Fault | None = None,
    status: int = 200,
) -> Response[str]:
    return show(
        request,
        "pad/lookup.html",
        status=status,
        frame=await pad_frame(tx, clerk),
        tail=tail,
        # More than a screen of people: a digit more tells them apart.
        found=found[:FOUND_MAX] if found is not None else None,
        is_too_many=found is not None and len(found) > FOUND_MAX,
        fault=fault,
    )


route_handlers: list[Any] = [LookupPages]

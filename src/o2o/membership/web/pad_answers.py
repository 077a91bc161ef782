"""Waiting at the pad for the member's yes to a charge: on the phone, or by pay PIN here."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.money import format_yuan
from o2o.membership.counter_steps import CounterSteps
from o2o.membership.queries.answers import find_charge_of_pad
from o2o.membership.web.pad_pages import at_pad, counter_guard, show_visit
from o2o.membership.web.pad_views import pad_frame
from o2o.web.answers import is_for_program
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]


class PayPinForm(msgspec.Struct, forbid_unknown_fields=True):
    """What the member typed; it goes nowhere but into the check."""

    pin: Annotated[str, msgspec.Meta(max_length=16)]
    csrf: str = ""


class AnswerPages(Controller):
    """`/pad/visits/{visit}/charges/{request}`: a charge that the member is asked about."""

    path = "/pad/visits/{visit_id:uuid}/charges/{request_id:uuid}"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def wait(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        request_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
    ) -> Response[Any]:
        """Show how the answer stands; once it is a yes the page goes on by itself."""
        return await _page(request, tx, clerk, visit_id=visit_id, request_id=request_id)

    @post("/pin")
    async def answer_by_pin(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        request_id: FromPath[UUID],
        data: Annotated[PayPinForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Take the pay PIN for a yes. Raises what CounterSteps.answer_by_pin raises."""
        steps = CounterSteps(sessions=platform.sessions, clock=platform.clock)
        try:
            await steps.answer_by_pin(
                request_id=request_id, visit_id=visit_id, pin=data.pin, by=at_pad(clerk)
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(
                request, tx, clerk, visit_id=visit_id, request_id=request_id, fact=fact
            )
        return go_on(request, f"/pad/visits/{visit_id}/charges/{request_id}")


async def _page(
    request: AnyRequest,
    tx: Tx,
    clerk: Clerk,
    *,
    visit_id: UUID,
    request_id: UUID,
    fact: Fact | None = None,
) -> Response[Any]:
    now = platform_of(request).clock.now()
    charge = await find_charge_of_pad(
        tx, request_id, visit_id=visit_id, pad_id=clerk.pad_id, now=now
    )
    if charge is None:
        return await show_visit(request, tx, clerk, visit_id=visit_id, fact=fact)
    return show(
        request,
        "pad/answer.html",
        status=fact.status if fact else 200,
        frame=await pad_frame(tx, clerk),
        charge=charge,
        amount_yuan=format_yuan(charge.amount_fen).replace(",", ""),
        seconds_left=max(0, int((charge.expires_at - now).total_seconds())),
        fault=fault_of(request, fact) if fact else None,
    )


route_handlers: list[Any] = [AnswerPages]

"""Showing the counter: who may, the scan page, and the visit with what stood in the way."""

from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from o2o.crm.statuses import StaffRoleName, Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.errors import VisitExpired, VisitNotYours
from o2o.membership.queries import get_live_visit
from o2o.membership.queries.pad_day import is_visit_held
from o2o.membership.till import AtPad
from o2o.membership.web.pad_views import PadVisitContext, pad_frame, today_of, visit_page
from o2o.web.answers import is_for_program
from o2o.web.errors import RoleMissing
from o2o.web.forms import Fault, fault_of
from o2o.web.guards import is_question_of_methods
from o2o.web.platform import platform_of
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
SLOT = "pad.visit"
# What a panel's own form did, said where the clerk goes on: `counter_done.<word>`.
DONE = frozenset({"bound", "replaced", "refunded"})
AT_COUNTER = frozenset({StaffRoleName.CLERK, StaffRoleName.MANAGER})


async def counter_guard(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """Let those pass who serve at the counter. Raises RoleMissing."""
    if is_question_of_methods(connection):
        return
    clerk = connection.state.principal
    assert isinstance(clerk, Clerk), "counter_guard comes after pad_guard"
    if not clerk.roles & AT_COUNTER:
        raise RoleMissing


def at_pad(clerk: Clerk) -> AtPad:
    """Return who acts, as the till wants to know it; all of it from the session."""
    return AtPad(
        pad_id=clerk.pad_id,
        store_id=clerk.store_id,
        staff_id=clerk.staff_id,
        brand_id=clerk.brand_id,
    )


async def show_scan(
    request: AnyRequest, tx: Tx, clerk: Clerk, *, fault: Fault | None = None, status: int = 200
) -> Response[str]:
    """Show the scan page."""
    now = platform_of(request).clock.now()
    frame = await pad_frame(tx, clerk)
    return show(
        request,
        "pad/scan.html",
        status=status,
        frame=frame,
        fault=fault,
        today=await today_of(tx, clerk, now=now),
    )


async def show_visit(
    request: AnyRequest,
    tx: Tx,
    clerk: Clerk,
    *,
    visit_id: UUID,
    fact: Fact | None = None,
    typed: dict[str, str] | None = None,
) -> Response[Any]:
    """Show a visit, with what stood in the way of the last step, if anything did.

    When the visit is over, or never was this pad's, the scan page says so.
    """
    platform = platform_of(request)
    now = platform.clock.now()
    try:
        visit = await get_live_visit(tx, visit_id=visit_id, pad_id=clerk.pad_id, now=now)
    except (VisitExpired, VisitNotYours) as over:
        if await is_visit_held(tx, visit_id=visit_id, pad_id=clerk.pad_id, now=now):
            frame = await pad_frame(tx, clerk)
            return show(request, "pad/held.html", frame=frame, visit_id=visit_id)
        if is_for_program(request):
            raise
        shown = fact or over
        return await show_scan(
            request, tx, clerk, fault=fault_of(request, shown), status=shown.status
        )
    context = PadVisitContext(
        visit_id=visit.visit_id,
        member_id=visit.member_id,
        store_id=clerk.store_id,
        brand_id=clerk.brand_id,
        now=now,
    )
    return show(
        request,
        "pad/visit.html",
        status=fact.status if fact else 200,
        frame=await pad_frame(tx, clerk),
        view=await visit_page(tx, visit, brand_id=clerk.brand_id, now=now),
        panels=await platform.panels.load(SLOT, tx, context),
        tenders=[tender.value for tender in Tender],
        fault=fault_of(request, fact) if fact else None,
        typed=typed or {},
        done=next((word for word in DONE if word == request.query_params.get("done")), None),
    )

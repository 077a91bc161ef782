"""The pad at the counter: scan, serve one member for five minutes, end."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import ShiftStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.actions.close_visit import close_visit
from o2o.membership.actions.run_shifts import open_shift
from o2o.membership.errors import UnlikelyTravel
from o2o.membership.till import Till
from o2o.membership.web.pad_answers import AnswerPages
from o2o.membership.web.pad_days import DayPages
from o2o.membership.web.pad_lookup import LookupPages
from o2o.membership.web.pad_money import CounterMoney
from o2o.membership.web.pad_pages import at_pad, counter_guard, show_scan, show_visit
from o2o.membership.web.pad_receipts import ReceiptPages
from o2o.membership.web.pad_shifts import ShiftPages
from o2o.web.answers import is_for_program
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk

AnyRequest = Request[Any, Any, Any]
SCAN_PAGE = "/pad/scan"
SCAN_CHARS_MAX = 4_096


class ScanCode(msgspec.Struct, forbid_unknown_fields=True):
    """What a scanner read or a clerk typed."""

    scanned: Annotated[str, msgspec.Meta(max_length=SCAN_CHARS_MAX)]
    csrf: str = ""


class CounterPages(Controller):
    """What a clerk does at the counter."""

    path = "/pad"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/scan")
    async def scan(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Show the scan box, with the shift open; what was handed over is confirmed first."""
        shift = await open_shift(tx, by=at_pad(clerk), now=platform.clock.now())
        if shift.status is ShiftStatus.COUNTED:
            return go_on(request, "/pad/shift")
        return await show_scan(request, tx, clerk)

    @post("/visits")
    async def open_visit(
        self,
        request: AnyRequest,
        data: Annotated[ScanCode, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        till: NamedDependency[Till],
    ) -> Response[Any]:
        """Open a visit with a scanned code. Raises what Till.open_visit raises."""
        try:
            # Before `tx` is used: the till has connections of its own, and who held one while
            # waiting for another could wait for ever.
            visit = await till.open_visit(data.scanned, by=at_pad(clerk))
        except UnlikelyTravel as held:
            if is_for_program(request):
                raise
            return go_on(request, _page_of(held.detail["visit_id"]))
        except Fact as fact:
            if is_for_program(request):
                raise
            return await show_scan(
                request, tx, clerk, fault=fault_of(request, fact), status=fact.status
            )
        return go_on(request, _page_of(visit.visit_id))

    @get("/visits/{visit_id:uuid}")
    async def visit(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
    ) -> Response[Any]:
        """Show the member, while the visit lives. Raises VisitNotYours, VisitExpired."""
        return await show_visit(request, tx, clerk, visit_id=visit_id)

    @post("/visits/{visit_id:uuid}/end")
    async def end(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """End the visit; ending it again, or another pad's, changes nothing."""
        now = platform.clock.now()
        await close_visit(tx, visit_id=visit_id, pad_id=clerk.pad_id, now=now)
        return go_on(request, SCAN_PAGE)


def _page_of(visit_id: UUID | str) -> str:
    return f"/pad/visits/{visit_id}"


route_handlers: list[Any] = [
    CounterPages,
    CounterMoney,
    AnswerPages,
    DayPages,
    LookupPages,
    ReceiptPages,
    ShiftPages,
]

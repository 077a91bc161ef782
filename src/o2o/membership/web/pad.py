"""The pad at the counter: scan, serve one member, charge, top up, receipt."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body, FromPath

from o2o.crm.statuses import StaffRoleName, Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.money import Fen, parse_yuan
from o2o.membership.actions.close_visit import close_visit
from o2o.membership.errors import UnlikelyTravel, VisitExpired, VisitNotYours
from o2o.membership.queries import get_live_visit
from o2o.membership.queries.pad_day import find_receipt, is_visit_held
from o2o.membership.till import AtPad, Till
from o2o.membership.web.pad_errors import AmountNotMoney, ReceiptNotFound
from o2o.membership.web.pad_views import (
    PadVisitContext,
    pad_frame,
    receipt_page,
    today_of,
    visit_page,
)
from o2o.web.answers import is_for_program
from o2o.web.errors import RoleMissing
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
SCAN_PAGE = "/pad/scan"
SLOT = "pad.visit"
AT_COUNTER = frozenset({StaffRoleName.CLERK, StaffRoleName.MANAGER})
# No amount is longer; what a scanner types into the wrong box is.
AMOUNT_CHARS_MAX = 64
SCAN_CHARS_MAX = 4_096

Yuan = Annotated[str, msgspec.Meta(max_length=AMOUNT_CHARS_MAX)]


class ScanCode(msgspec.Struct, forbid_unknown_fields=True):
    """What a scanner read or a clerk typed."""

    scanned: Annotated[str, msgspec.Meta(max_length=SCAN_CHARS_MAX)]
    csrf: str = ""


class ChargeForm(msgspec.Struct, forbid_unknown_fields=True):
    """An amount in yuan to be taken from the member's card."""

    request_id: UUID
    member_id: UUID
    amount_yuan: Yuan
    csrf: str = ""


class TopUpForm(msgspec.Struct, forbid_unknown_fields=True):
    """What was paid, what the house adds, in yuan, and how it was paid."""

    request_id: UUID
    member_id: UUID
    principal_yuan: Yuan
    tender: Tender
    bonus_yuan: Yuan = ""
    csrf: str = ""


async def counter_guard(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """Let those pass who serve at the counter. Raises RoleMissing."""
    clerk = connection.state.principal
    assert isinstance(clerk, Clerk), "counter_guard comes after pad_guard"
    if not clerk.roles & AT_COUNTER:
        raise RoleMissing


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
    ) -> Response[str]:
        """Show the scan box."""
        return await _scan_page(request, tx, clerk)

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
            # Before `tx` is used, here and below: the till has connections of its own, and who
            # held one while waiting for another could wait for ever.
            visit = await till.open_visit(data.scanned, by=_at(clerk))
        except UnlikelyTravel as held:
            if is_for_program(request):
                raise
            return go_on(request, _page_of(held.detail["visit_id"]))
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _scan_page(
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
        return await _visit_page(request, tx, clerk, visit_id=visit_id)

    @post("/visits/{visit_id:uuid}/charges")
    async def charge(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        data: Annotated[ChargeForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        till: NamedDependency[Till],
    ) -> Response[Any]:
        """Take an amount from the card. Raises AmountNotMoney and what Till.charge raises."""
        try:
            charged = await till.charge(
                request_id=data.request_id,
                member_id=data.member_id,
                amount_fen=_fen(data.amount_yuan, field="amount_yuan"),
                by=_at(clerk),
                visit_id=visit_id,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _visit_page(
                request, tx, clerk, visit_id=visit_id, fact=fact, typed={"charge": data.amount_yuan}
            )
        return go_on(
            request,
            f"/pad/receipts/{charged.transfer_id}",
            transfer_id=str(charged.transfer_id),
            balance_fen=charged.balance_fen,
        )

    @post("/visits/{visit_id:uuid}/top-ups")
    async def top_up(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        data: Annotated[TopUpForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        till: NamedDependency[Till],
    ) -> Response[Any]:
        """Put money onto the card. Raises AmountNotMoney and what Till.top_up raises."""
        try:
            topped_up = await till.top_up(
                request_id=data.request_id,
                member_id=data.member_id,
                principal_fen=_fen(data.principal_yuan, field="principal_yuan"),
                bonus_fen=_fen(data.bonus_yuan or "0", field="bonus_yuan"),
                tender=data.tender,
                by=_at(clerk),
                visit_id=visit_id,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            typed = {"principal": data.principal_yuan, "bonus": data.bonus_yuan}
            return await _visit_page(request, tx, clerk, visit_id=visit_id, fact=fact, typed=typed)
        return go_on(
            request,
            f"/pad/receipts/{topped_up.transfer_id}",
            transfer_id=str(topped_up.transfer_id),
            balance_fen=topped_up.balance_fen,
        )

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

    @get("/receipts/{transfer_id:uuid}")
    async def receipt(
        self,
        request: AnyRequest,
        transfer_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[str]:
        """Show what a charge or top-up did, for the screen and for paper. Raises ReceiptNotFound.

        Only of the store's own pads.
        """
        found = await find_receipt(
            tx, transfer_id, store_id=clerk.store_id, now=platform.clock.now()
        )
        if found is None:
            raise ReceiptNotFound
        return show(
            request,
            "pad/receipt.html",
            frame=await pad_frame(tx, clerk),
            view=receipt_page(found, pad_id=clerk.pad_id),
        )


def _at(clerk: Clerk) -> AtPad:
    return AtPad(
        pad_id=clerk.pad_id,
        store_id=clerk.store_id,
        staff_id=clerk.staff_id,
        brand_id=clerk.brand_id,
    )


def _page_of(visit_id: UUID | str) -> str:
    return f"/pad/visits/{visit_id}"


def _fen(typed: str, *, field: str) -> Fen:
    try:
        return parse_yuan(typed)
    except ValueError as error:
        raise AmountNotMoney(field=field) from error


async def _scan_page(
    request: AnyRequest, tx: Tx, clerk: Clerk, *, fault: Fault | None = None, status: int = 200
) -> Response[str]:
    now = request.app.state.platform.clock.now()
    frame = await pad_frame(tx, clerk)
    return show(
        request,
        "pad/scan.html",
        status=status,
        frame=frame,
        fault=fault,
        today=await today_of(tx, clerk, frame=frame, now=now),
    )


async def _visit_page(
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
    platform: Platform = request.app.state.platform
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
        return await _scan_page(
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
    )


route_handlers: list[Any] = [CounterPages]

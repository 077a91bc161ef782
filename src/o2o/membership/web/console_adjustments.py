"""The console's corrections: proposed by one, decided on by another, with their history."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import Asset
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import RequestId
from o2o.membership.actions.approve_adjustment import approve_adjustment, reject_adjustment
from o2o.membership.actions.propose_adjustment import (
    ProposeAdjustment,
    propose_adjustment,
    withdraw_adjustment,
)
from o2o.membership.errors_programme import CardUnknown
from o2o.membership.queries.adjustments import find_member_of_card
from o2o.membership.rules.adjustments import READERS
from o2o.membership.web.adjustment_pages import (
    KINDS,
    SLOT,
    card_no_of,
    may_read,
    show_list,
    show_one,
    show_proposal,
)
from o2o.membership.web.programme_forms import read_whole, read_yuan, typed
from o2o.web.answers import is_for_program
from o2o.web.console_menu import ConsoleMenu
from o2o.web.errors import RequestInvalid
from o2o.web.forms import go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/adjustments"


class RejectForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why not."""

    why: str
    csrf: str = ""


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the page to the console's menu."""
    menu.add(
        slot=SLOT,
        href=PAGE,
        label="adjustments.menu",
        icon="approvals",
        roles=READERS,
        order=320,
    )


class ConsoleAdjustments(Controller):
    """`/console/adjustments`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def list_all(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what waits for a decision and what was decided, of the reader's stores."""
        return await show_list(request, tx, console_staff)

    @get("/new")
    async def write(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the form, for the member of the card that was asked for."""
        form = {"card_no": request.query_params.get("card_no", "")}
        return await show_proposal(request, tx, console_staff, form=form)

    @post("/")
    async def propose(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Propose what was typed. Raises what propose_adjustment raises."""
        form = dict(await request.form())
        try:
            command = await _read_proposal(tx, form, person=console_staff)
            await propose_adjustment(tx, command, now=platform.clock.now())
        except Fact as fact:
            if is_for_program(request):
                raise
            return await show_proposal(request, tx, console_staff, form=form, fact=fact)
        return go_on(request, f"{PAGE}?done=proposed")

    @get("/{adjustment_id:uuid}")
    async def show_adjustment(
        self,
        request: AnyRequest,
        adjustment_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show one with what may be done. Raises AdjustmentNotFound, RoleMissing."""
        return await show_one(request, tx, console_staff, adjustment_id)

    @post("/{adjustment_id:uuid}/approvals")
    async def approve(
        self,
        request: AnyRequest,
        adjustment_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Approve it; what it asks for moves at once. Raises what approve_adjustment raises."""
        try:
            await approve_adjustment(
                tx,
                adjustment_id,
                brand_id=console_staff.brand_id,
                staff_id=console_staff.staff_id,
                now=platform.clock.now(),
            )
        except Fact as fact:
            if is_for_program(request) or not may_read(console_staff):
                raise
            return await show_one(request, tx, console_staff, adjustment_id, fact=fact)
        return go_on(request, f"{PAGE}/{adjustment_id}?done=approved")

    @post("/{adjustment_id:uuid}/rejections")
    async def reject(
        self,
        request: AnyRequest,
        adjustment_id: FromPath[UUID],
        data: Annotated[RejectForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Reject it with a reason. Raises what reject_adjustment raises."""
        try:
            await reject_adjustment(
                tx,
                adjustment_id,
                brand_id=console_staff.brand_id,
                staff_id=console_staff.staff_id,
                why=data.why,
                now=platform.clock.now(),
            )
        except Fact as fact:
            if is_for_program(request) or not may_read(console_staff):
                raise
            return await show_one(
                request, tx, console_staff, adjustment_id, fact=fact, why=data.why
            )
        return go_on(request, f"{PAGE}/{adjustment_id}?done=rejected")

    @post("/{adjustment_id:uuid}/withdrawals")
    async def withdraw(
        self,
        request: AnyRequest,
        adjustment_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take the own proposal back. Raises what withdraw_adjustment raises."""
        await withdraw_adjustment(
            tx,
            adjustment_id,
            brand_id=console_staff.brand_id,
            staff_id=console_staff.staff_id,
            now=platform.clock.now(),
        )
        return go_on(request, f"{PAGE}/{adjustment_id}?done=withdrawn")


async def _read_proposal(
    tx: Tx, form: dict[str, Any], *, person: ConsoleStaff
) -> ProposeAdjustment:
    kind = typed(form, "kind")
    if kind not in KINDS:
        raise RequestInvalid(field="kind")
    asset, lot_kind = KINDS[kind]
    amount = read_whole(form, "amount") if asset is Asset.POINTS else read_yuan(form, "amount")
    member = await find_member_of_card(tx, brand_id=person.brand_id, card_no=card_no_of(form))
    if member is None:
        raise CardUnknown
    return ProposeAdjustment(
        request_id=RequestId(_id(form, "request_id")),
        brand_id=person.brand_id,
        member_id=member.member_id,
        store_id=_id(form, "store_id") if typed(form, "store_id") else None,
        asset=asset,
        delta=-amount if typed(form, "direction") == "down" else amount,
        lot_kind=lot_kind,
        reason=typed(form, "reason"),
        staff_id=person.staff_id,
    )


def _id(form: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(typed(form, name))
    except ValueError:
        raise RequestInvalid(field=name) from None


route_handlers: list[Any] = [ConsoleAdjustments]

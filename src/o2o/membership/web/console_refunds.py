"""The console's list of refunds that members wait for: transfers, and refusals with reasons."""

from collections.abc import Collection
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import RefundPayout, StaffRoleName
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId, new_request_id
from o2o.kernel.text import mask_name
from o2o.ledger.queries.refunds import quote_refunds
from o2o.membership.actions.ask_refund import Payee, payee_label
from o2o.membership.actions.refund_stored_value_to_member import (
    pay_refund_by_bank,
    refuse_refund,
)
from o2o.membership.queries.refund_requests import (
    RefundWish,
    list_due_refunds,
    list_ended_refunds,
)
from o2o.web.console_frame import show_console
from o2o.web.console_menu import ConsoleMenu
from o2o.web.errors import RoleMissing
from o2o.web.forms import go_on
from o2o.web.guards import console_guard
from o2o.web.platform import platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/refunds"
SLOT = "refunds"
ROLES = frozenset({StaffRoleName.MANAGER, StaffRoleName.FINANCE})
DONE = frozenset({"paid", "refused"})


class PayRefund(msgspec.Struct, forbid_unknown_fields=True):
    """What the page showed."""

    request_id: UUID
    expected_fen: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    csrf: str = ""


class RefuseRefund(msgspec.Struct, forbid_unknown_fields=True):
    """Why, in words for the member."""

    reason: Annotated[str, msgspec.Meta(min_length=2, max_length=200)]
    csrf: str = ""


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A wish with what is due now, in fen, and to whom it goes."""

    wish: RefundWish
    who: str
    card_tail: str
    due_fen: int
    # Shown only to those who transfer the money.
    payee: Payee | None
    can_pay: bool
    can_refuse: bool
    request_id: RequestId


class ConsoleRefunds(Controller):
    """`/console/refunds`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def list_all(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
        seal: NamedDependency[Seal],
    ) -> Response[str]:
        """Show what waits and what was done last. Raises RoleMissing."""
        stores = _stores_of(console_staff)
        brand_id = console_staff.brand_id
        now = platform_of(request).clock.now()
        rows = []
        for wish in await list_due_refunds(tx, brand_id=brand_id, store_ids=stores):
            quote = await quote_refunds(tx, MemberId(wish.member_id), now=now)
            due_fen = sum(
                line.refund_fen for line in quote.lines if wish.top_up_id in {None, line.top_up_id}
            )
            rows.append(_row(wish, console_staff, due_fen=due_fen, seal=seal))
        ended = await list_ended_refunds(tx, brand_id=brand_id, store_ids=stores)
        done = request.query_params.get("done", "")
        return show_console(
            request,
            console_staff,
            "console/refunds.html",
            page=SLOT,
            rows=rows,
            ended=ended,
            done=done if done in DONE else "",
        )

    @post("/{refund_id:uuid}/payments")
    async def pay(
        self,
        request: AnyRequest,
        refund_id: FromPath[UUID],
        data: Annotated[PayRefund, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Note that the transfer was made. Raises what pay_refund_by_bank refuses."""
        try:
            await pay_refund_by_bank(
                tx,
                request_id=RequestId(data.request_id),
                refund_id=refund_id,
                brand_id=console_staff.brand_id,
                expected_fen=data.expected_fen,
                staff_id=console_staff.staff_id,
                now=platform_of(request).clock.now(),
            )
        except Fact as fact:
            fact.detail.setdefault("retry_url", PAGE)
            raise
        return go_on(request, f"{PAGE}?done=paid")

    @post("/{refund_id:uuid}/refusals")
    async def refuse(
        self,
        request: AnyRequest,
        refund_id: FromPath[UUID],
        data: Annotated[RefuseRefund, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Refuse with a reason. Raises what refuse_refund refuses."""
        try:
            await refuse_refund(
                tx,
                refund_id=refund_id,
                brand_id=console_staff.brand_id,
                reason=data.reason,
                staff_id=console_staff.staff_id,
                now=platform_of(request).clock.now(),
            )
        except Fact as fact:
            fact.detail.setdefault("retry_url", PAGE)
            raise
        return go_on(request, f"{PAGE}?done=refused")


def _stores_of(staff: ConsoleStaff) -> Collection[UUID] | None:
    """Return the stores whose refunds the person sees; None is all of them. Raises RoleMissing."""
    held = [staff.roles[role] for role in ROLES if role in staff.roles]
    if not held:
        raise RoleMissing
    if any(stores is None for stores in held):
        return None
    return {store_id for stores in held if stores is not None for store_id in stores}


def _row(wish: RefundWish, staff: ConsoleStaff, *, due_fen: int, seal: Seal) -> RefundRow:
    is_finance = staff.covers(StaffRoleName.FINANCE, wish.store_id)
    by_bank = wish.payout is RefundPayout.BANK
    payee = None
    if is_finance and wish.payee_sealed is not None:
        opened = seal.unseal(wish.payee_sealed, label=payee_label(wish.id))
        payee = msgspec.json.decode(opened, type=Payee)
    return RefundRow(
        wish=wish,
        who=mask_name(wish.member_name) or "",
        card_tail=(wish.card_no or "")[-4:],
        due_fen=due_fen,
        payee=payee,
        can_pay=is_finance and by_bank and due_fen > 0,
        can_refuse=not wish.is_by_right,
        request_id=new_request_id(),
    )


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the page to the console's menu."""
    menu.add(slot=SLOT, href=PAGE, label="refunds_desk.menu", roles=ROLES, order=450)


route_handlers: list[Any] = [ConsoleRefunds]

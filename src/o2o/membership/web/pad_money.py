"""Money at the counter: charge, top up, receipt."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.money import Fen, parse_yuan
from o2o.membership.queries.pad_day import find_receipt
from o2o.membership.till import Till
from o2o.membership.web.pad_errors import AmountNotMoney, ReceiptNotFound
from o2o.membership.web.pad_pages import at_pad, counter_guard, show_visit
from o2o.membership.web.pad_views import pad_frame, receipt_page
from o2o.web.answers import is_for_program
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
# No amount is longer; what a scanner types into the wrong box is.
AMOUNT_CHARS_MAX = 64

Yuan = Annotated[str, msgspec.Meta(max_length=AMOUNT_CHARS_MAX)]


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


class CounterMoney(Controller):
    """What moves money, always inside a visit of this pad.

    `tx` is not used before the till is done: the till has connections of its own, and who held one
    while waiting for another could wait for ever.
    """

    path = "/pad"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

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
                by=at_pad(clerk),
                visit_id=visit_id,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await show_visit(
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
                by=at_pad(clerk),
                visit_id=visit_id,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            typed = {"principal": data.principal_yuan, "bonus": data.bonus_yuan}
            return await show_visit(request, tx, clerk, visit_id=visit_id, fact=fact, typed=typed)
        return go_on(
            request,
            f"/pad/receipts/{topped_up.transfer_id}",
            transfer_id=str(topped_up.transfer_id),
            balance_fen=topped_up.balance_fen,
        )

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


def _fen(typed: str, *, field: str) -> Fen:
    try:
        return parse_yuan(typed)
    except ValueError as error:
        raise AmountNotMoney(field=field) from error

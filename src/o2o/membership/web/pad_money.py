"""Money at the counter: charge and top up."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.money import Fen, parse_yuan
from o2o.membership.errors_counter import ConfirmationNeeded, PackageNotOffered
from o2o.membership.till import Till
from o2o.membership.web.pad_errors import AmountNotMoney
from o2o.membership.web.pad_pages import at_pad, counter_guard, show_visit
from o2o.web.answers import is_for_program
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.principals import Clerk

AnyRequest = Request[Any, Any, Any]
# No amount is longer; what a scanner types into the wrong box is.
AMOUNT_CHARS_MAX = 64
UUID_CHARS = 36

Yuan = Annotated[str, msgspec.Meta(max_length=AMOUNT_CHARS_MAX)]


class ChargeForm(msgspec.Struct, forbid_unknown_fields=True):
    """An amount in yuan to be taken from the member's card."""

    request_id: UUID
    member_id: UUID
    amount_yuan: Yuan
    csrf: str = ""


class TopUpForm(msgspec.Struct, forbid_unknown_fields=True):
    """A package of the marketer, or an amount in yuan to which the house adds nothing; the tender.

    What a package costs and gives is looked up, never taken from here.
    """

    request_id: UUID
    member_id: UUID
    tender: Tender
    package_id: Annotated[str, msgspec.Meta(max_length=UUID_CHARS)] = ""
    principal_yuan: Yuan = ""
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
        except ConfirmationNeeded as needed:
            if is_for_program(request):
                raise
            return go_on(request, f"/pad/visits/{visit_id}/charges/{needed.detail['request_id']}")
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
                principal_fen=0
                if data.package_id
                else _fen(data.principal_yuan, field="principal_yuan"),
                bonus_fen=0,
                package_id=_package(data.package_id),
                tender=data.tender,
                by=at_pad(clerk),
                visit_id=visit_id,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            typed = {"principal": data.principal_yuan, "package": data.package_id}
            return await show_visit(request, tx, clerk, visit_id=visit_id, fact=fact, typed=typed)
        return go_on(
            request,
            f"/pad/receipts/{topped_up.transfer_id}",
            transfer_id=str(topped_up.transfer_id),
            balance_fen=topped_up.balance_fen,
        )


def _package(typed: str) -> UUID | None:
    try:
        return UUID(typed) if typed else None
    except ValueError as error:
        raise PackageNotOffered from error


def _fen(typed: str, *, field: str) -> Fen:
    try:
        return parse_yuan(typed)
    except ValueError as error:
        raise AmountNotMoney(field=field) from error

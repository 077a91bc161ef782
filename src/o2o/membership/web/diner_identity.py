"""The diner's identity: phone, name and cards on one page; who becomes one with whom, and a yes."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.kernel.errors import Fact
from o2o.membership.actions.bind_phone import PhoneHasOwners, bind_phone
from o2o.membership.actions.enter_real_name import enter_real_name
from o2o.membership.actions.prove_other_pin import prove_other_pin
from o2o.membership.errors import CardNeeded
from o2o.membership.errors_identity import CandidatesChanged, OtherPinNeeded
from o2o.membership.errors_pay_pin import PayPinLocked, PayPinWrong
from o2o.membership.web.diner_cards import DinerCardCases
from o2o.membership.web.diner_phone import DinerPhonePages
from o2o.membership.web.identity_pages import (
    after_binding,
    check_is_person,
    show_bind,
    show_confirm,
)
from o2o.web.answers import is_for_program
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import diner_guard
from o2o.web.principals import Diner

AnyRequest = Request[Any, Any, Any]


class ConfirmForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members that were shown, by id."""

    members: Annotated[str, msgspec.Meta(max_length=512)] = ""
    # Of the other member, where one was chosen.
    pay_pin: Annotated[str, msgspec.Meta(max_length=32)] = ""
    csrf: str = ""


class NameForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A real name."""

    # However long: the rule of names says what is wrong with it.
    name: str = ""
    csrf: str = ""


class DinerIdentityPages(Controller):
    """`/h5/{account}/bind`, `/confirm` and `/name`."""

    path = "/h5/{account:str}/bind"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_own(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[str]:
        """Show phone, name and cards."""
        return await show_bind(request, tx, diner)

    @get("/confirm")
    async def show_confirm(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show who becomes one with whom; without a proved phone, back to the start."""
        return await show_confirm(request, tx, diner)

    @post("/confirm")
    async def confirm(
        self,
        request: AnyRequest,
        data: Annotated[ConfirmForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Let those that were shown become one. Raises what bind_phone raises."""
        check_is_person(diner)
        try:
            agreed = [UUID(text) for text in data.members.split(",") if text]
        except ValueError:
            raise CandidatesChanged from None
        now = clock.now()
        try:
            bound = await bind_phone(
                tx,
                fan_id=diner.fan_id,
                account_id=diner.account_id,
                now=now,
                agreed=agreed,
                pin_proved=await prove_other_pin(tx, diner, pin=data.pay_pin, now=now),
            )
        except (CandidatesChanged, OtherPinNeeded, PayPinWrong, PayPinLocked) as fact:
            # Raised before anything is written.
            if is_for_program(request):
                raise
            fault = fault_of(request, fact)
            return await show_confirm(request, tx, diner, fault=fault, status=fact.status)
        assert not isinstance(bound, PhoneHasOwners), "who agreed is not asked again"
        told = "phone_joined" if bound.merged else "phone"
        return go_on(request, after_binding(diner, is_new=bound.is_new, told=told))

    @post("/name")
    async def name(
        self,
        request: AnyRequest,
        data: Annotated[NameForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Keep the real name. Raises CardNeeded."""
        check_is_person(diner)
        if diner.member_id is None:
            raise CardNeeded
        try:
            await enter_real_name(tx, member_id=diner.member_id, name=data.name, now=clock.now())
        except Fact as fact:
            if is_for_program(request):
                raise
            return await show_bind(
                request, tx, diner, fact=fact, fault_in="name", typed={"name": data.name}
            )
        return go_on(request, f"/h5/{diner.account_slug}/bind?told=named")


route_handlers = [DinerIdentityPages, DinerPhonePages, DinerCardCases]

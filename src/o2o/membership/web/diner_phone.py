"""The diner's phone: ask for a code, type it, prove the phone in force before naming another."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.errors import Fact
from o2o.kernel.text import fold_width
from o2o.membership.actions.bind_phone import PhoneHasOwners, bind_phone
from o2o.membership.actions.pay_pin import check_pay_pin
from o2o.membership.actions.verify_phone import (
    AskPhoneCode,
    ask_phone_code,
    check_phone_code,
    prove_by_pin,
)
from o2o.membership.errors import CardNeeded
from o2o.membership.errors_identity import CodeNotAsked, SMSNotOffered, StepUpNeeded
from o2o.membership.queries.identity import find_own_phone
from o2o.membership.queries.verifications import find_proof
from o2o.membership.rules.phones import parse_phone
from o2o.membership.web.identity_pages import (
    after_binding,
    check_is_person,
    checked_terms,
    is_sms_offered,
    show_bind,
    show_change,
    show_code,
)
from o2o.membership.web.views import frame_of
from o2o.web.answers import answer_fact, is_for_program
from o2o.web.client import client_address
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner

AnyRequest = Request[Any, Any, Any]
Typed = Annotated[str, msgspec.Meta(max_length=64)]


class AskForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone; from somebody without a card also the tick under the terms."""

    phone: Typed = ""
    membership: Typed = ""
    terms_version: Typed = ""
    csrf: str = ""


class CodeForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Six digits, and what they are to prove."""

    code: Typed = ""
    purpose: VerificationPurpose = VerificationPurpose.BIND
    csrf: str = ""


class ChangeForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pay PIN, or nothing for a code to the phone in force."""

    pay_pin: Typed = ""
    csrf: str = ""


class DinerPhonePages(Controller):
    """`/h5/{account}/bind/phone`, `/code` and `/change`."""

    path = "/h5/{account:str}/bind"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @post("/phone")
    async def ask(
        self,
        request: AnyRequest,
        data: Annotated[AskForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Send digits to a phone. The answer is the same whoever has that phone."""
        check_is_person(diner)
        try:
            await _send_code(request, tx, diner, data, seal=seal)
        except StepUpNeeded as fact:
            if is_for_program(request):
                raise
            return await show_change(request, tx, diner, fault=fault_of(request, fact), status=403)
        except Fact as fact:
            if is_for_program(request):
                raise
            typed = {"phone": data.phone, "membership": data.membership}
            return await show_bind(request, tx, diner, fact=fact, fault_in="phone", typed=typed)
        return go_on(request, f"/h5/{diner.account_slug}/bind/code")

    @get("/code")
    async def show_code(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        purpose: FromQuery[VerificationPurpose] = VerificationPurpose.BIND,
    ) -> Response[Any]:
        """Show where the digits are typed; without any on the way, back to the start."""
        return await show_code(request, tx, diner, purpose=purpose)

    @post("/code")
    async def check(
        self,
        request: AnyRequest,
        data: Annotated[CodeForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Take one try of the digits, and act on the right ones as far as nobody has to be asked.

        A refusal is answered, not raised: the try stays counted.
        """
        check_is_person(diner)
        now = clock.now()
        proved = await check_phone_code(
            tx,
            fan_id=diner.fan_id,
            code=fold_width(data.code),
            seal=seal,
            now=now,
            purpose=data.purpose,
        )
        if isinstance(proved, Fact):
            return await _refused_code(request, tx, diner, proved, purpose=data.purpose)
        if data.purpose is VerificationPurpose.STEP_UP:
            return go_on(request, f"/h5/{diner.account_slug}/bind/change")
        bound = await bind_phone(tx, fan_id=diner.fan_id, account_id=diner.account_id, now=now)
        if isinstance(bound, PhoneHasOwners):
            return go_on(request, f"/h5/{diner.account_slug}/bind/confirm")
        return go_on(request, after_binding(diner, is_new=bound.is_new, told="phone"))

    @get("/change")
    async def show_change(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show how another phone is named."""
        return await show_change(request, tx, diner)

    @post("/change")
    async def step_up(
        self,
        request: AnyRequest,
        data: Annotated[ChangeForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Prove the phone in force: at once by pay PIN, or by digits sent to it."""
        check_is_person(diner)
        if diner.member_id is None:
            raise CardNeeded
        now = clock.now()
        page = f"/h5/{diner.account_slug}/bind"
        try:
            if data.pay_pin:
                # Before the first statement of this transaction: tries are counted beside it.
                pin = fold_width(data.pay_pin)
                await check_pay_pin(tx, member_id=diner.member_id, pin=pin, now=now)
            own = await find_own_phone(tx, diner.member_id)
            if own.phone is None or not own.is_verified:
                return go_on(request, page)
            if data.pay_pin:
                await prove_by_pin(tx, fan_id=diner.fan_id, phone=own.phone, now=now)
                return go_on(request, f"{page}/change")
            if not is_sms_offered(platform_of(request)):
                raise SMSNotOffered
            asked = AskPhoneCode(
                fan_id=diner.fan_id,
                phone=own.phone,
                address=client_address(request),
                purpose=VerificationPurpose.STEP_UP,
            )
            await ask_phone_code(tx, asked, seal=seal, now=now)
        except Fact as fact:
            if is_for_program(request):
                raise
            fault = fault_of(request, fact)
            return await show_change(request, tx, diner, fault=fault, status=fact.status)
        return go_on(request, f"{page}/code?purpose=step_up")


async def _send_code(
    request: AnyRequest, tx: Tx, diner: Diner, data: AskForm, *, seal: Seal
) -> None:
    platform = platform_of(request)
    now = platform.clock.now()
    if not is_sms_offered(platform):
        raise SMSNotOffered
    frame = frame_of(diner, language=language_of(request))
    terms = checked_terms(
        diner,
        membership=data.membership,
        terms_version=data.terms_version,
        in_force=frame.terms_version,
    )
    phone = parse_phone(data.phone)
    if diner.member_id is not None:
        own = await find_own_phone(tx, diner.member_id)
        step_up = VerificationPurpose.STEP_UP
        if own.is_verified and own.phone != phone:
            proof = await find_proof(tx, diner.fan_id, purpose=step_up, now=now)
            if proof is None or proof.phone != own.phone:
                raise StepUpNeeded
    asked = AskPhoneCode(
        fan_id=diner.fan_id, phone=phone, address=client_address(request), terms_version=terms
    )
    await ask_phone_code(tx, asked, seal=seal, now=now)


async def _refused_code(
    request: AnyRequest, tx: Tx, diner: Diner, fact: Fact, *, purpose: VerificationPurpose
) -> Response[Any]:
    if is_for_program(request):
        return answer_fact(request, fact)
    if isinstance(fact, CodeNotAsked):
        return await show_bind(request, tx, diner, fact=fact, fault_in="phone")
    return await show_code(request, tx, diner, purpose=purpose, fact=fact)

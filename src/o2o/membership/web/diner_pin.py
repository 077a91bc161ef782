"""The diner's pay PIN: choose one, change it with the one in force, or reset it by phone."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.text import fold_width
from o2o.membership.actions.pay_pin import check_new_pin, check_pay_pin, set_pay_pin
from o2o.membership.actions.verify_phone import (
    AskPhoneCode,
    ProvedPhone,
    ask_phone_code,
    check_phone_code,
    end_verification,
)
from o2o.membership.errors_identity import SMSNotOffered
from o2o.membership.errors_pay_pin import PayPinDiffers
from o2o.membership.errors_privacy import StepUpNeeded
from o2o.membership.queries.identity import find_own_phone
from o2o.membership.queries.step_up import find_sureness
from o2o.membership.queries.verifications import find_waiting_code
from o2o.membership.rules.phones import mask_phone
from o2o.membership.web.identity_pages import is_sms_offered
from o2o.membership.web.step_up import (
    FRESH_FOR,
    StepUp,
    fault_or_none,
    load_step_up,
    member_of,
    now_of,
    to_card,
    told_of,
)
from o2o.membership.web.views import frame_of
from o2o.web.answers import answer_fact, is_for_program
from o2o.web.client import client_address
from o2o.web.forms import Fault, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
PAGE = "pin"
Typed = Annotated[str, msgspec.Meta(max_length=64)]


class PINForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new PIN twice, and the one in force where there is one."""

    pin: Typed = ""
    pin_again: Typed = ""
    current_pin: Typed = ""
    csrf: str = ""


class ResetForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The digits that came by text message, and the new PIN twice."""

    code: Typed = ""
    pin: Typed = ""
    pin_again: Typed = ""
    csrf: str = ""


class PINPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page. `fault_in` names the form that was refused: `set` or `reset`."""

    step_up: StepUp
    # Masked; empty where no verified phone could get a code.
    phone_masked: str
    is_code_on_the_way: bool
    told: str
    fault: Fault | None
    fault_in: str


class DinerPINPages(Controller):
    """`/h5/{account}/pin`."""

    path = "/h5/{account:str}/pin"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_pin(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show how a pay PIN is chosen."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        return await _page(request, tx, diner)

    @post("/")
    async def choose(
        self,
        request: AnyRequest,
        data: Annotated[PINForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Choose a PIN: the first one after a fresh sign-in, another one with the one in force."""
        member_id = member_of(diner)
        now = now_of(request)
        try:
            if data.current_pin:
                # Before the first statement of this transaction: tries are counted beside it.
                current = fold_width(data.current_pin)
                await check_pay_pin(tx, member_id=member_id, pin=current, now=now)
            else:
                sure = await find_sureness(tx, diner.session_hash)
                if sure is None or sure.has_pin or now - sure.signed_in_at > FRESH_FOR:
                    raise StepUpNeeded
            pin = _same(data.pin, data.pin_again)
            await set_pay_pin(tx, member_id=member_id, pin=pin, now=now)
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact, fault_in="set")
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=set")

    @post("/code")
    async def send_code(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Send digits to the member's own verified phone."""
        own = await find_own_phone(tx, member_of(diner))
        try:
            if not is_sms_offered(platform_of(request)) or not own.is_verified or not own.phone:
                raise SMSNotOffered
            asked = AskPhoneCode(
                fan_id=diner.fan_id,
                phone=own.phone,
                address=client_address(request),
                purpose=VerificationPurpose.STEP_UP,
            )
            await ask_phone_code(tx, asked, seal=seal, now=now_of(request))
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact, fault_in="reset")
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=sent")

    @post("/reset")
    async def reset(
        self,
        request: AnyRequest,
        data: Annotated[ResetForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Choose another PIN without the one in force.

        A wrong code is answered, not raised: the try stays counted.
        """
        member_id = member_of(diner)
        now = now_of(request)
        try:
            pin = _same(data.pin, data.pin_again)
            # Before a try of the code is spent, and with it the code.
            await check_new_pin(tx, member_id=member_id, pin=pin)
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact, fault_in="reset")
        proved = await _prove(tx, diner, code=data.code, seal=seal, now=now)
        if not isinstance(proved, Fact):
            await set_pay_pin(tx, member_id=member_id, pin=pin, now=now)
            await end_verification(tx, proved.verification_id, now=now)
            return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=set")
        if is_for_program(request):
            return answer_fact(request, proved)
        return await _page(request, tx, diner, fact=proved, fault_in="reset")


async def _prove(tx: Tx, diner: Diner, *, code: str, seal: Seal, now: Any) -> ProvedPhone | Fact:
    """Take one try of the digits; they have to have come to the member's phone of now."""
    proved = await check_phone_code(
        tx,
        fan_id=diner.fan_id,
        code=fold_width(code),
        seal=seal,
        now=now,
        purpose=VerificationPurpose.STEP_UP,
    )
    if isinstance(proved, Fact):
        return proved
    own = await find_own_phone(tx, member_of(diner))
    return proved if own.is_verified and own.phone == proved.phone else StepUpNeeded()


def _same(pin: str, again: str) -> str:
    if fold_width(pin) != fold_width(again):
        raise PayPinDiffers
    return fold_width(pin)


async def _page(
    request: AnyRequest, tx: Tx, diner: Diner, *, fact: Fact | None = None, fault_in: str = ""
) -> Response[str]:
    now = now_of(request)
    own = await find_own_phone(tx, member_of(diner))
    can_send = is_sms_offered(platform_of(request)) and own.is_verified
    waiting = await find_waiting_code(
        tx, diner.fan_id, purpose=VerificationPurpose.STEP_UP, now=now
    )
    page = PINPage(
        step_up=await load_step_up(tx, diner, page=PAGE, now=now),
        phone_masked=(mask_phone(own.phone) or "") if can_send else "",
        is_code_on_the_way=waiting is not None,
        told=told_of(request, frozenset({"set", "sent"})),
        fault=fault_or_none(request, fact),
        fault_in=fault_in,
    )
    frame = frame_of(diner, language=language_of(request), tab="me")
    status = fact.status if fact else 200
    return show(request, "diner/pin.html", status=status, frame=frame, view=page)

"""Passing stored value on: offering it, taking it, letting it be."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import PassOnStatus
from o2o.infra.database import Tx, transaction_beside
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, RequestId, new_request_id
from o2o.kernel.money import parse_yuan
from o2o.kernel.text import fold_width, mask_name
from o2o.ledger.queries import get_wallet
from o2o.membership.actions.accept_pass_on import accept_pass_on
from o2o.membership.actions.offer_pass_on import link_token, offer_pass_on, token_hash
from o2o.membership.actions.pay_pin import check_pay_pin
from o2o.membership.actions.withdraw_pass_on import decline_pass_on, withdraw_pass_on
from o2o.membership.errors_identity import PhoneInvalid
from o2o.membership.errors_pass_on import PassOnLocked, PassOnNotFound, PassOnReceiverUnknown
from o2o.membership.queries.identity import find_members_by_phone
from o2o.membership.queries.members import find_member_by_card
from o2o.membership.queries.pass_on import OfferView, find_offer, find_offer_by_token, list_offers
from o2o.membership.queries.step_up import has_pay_pin
from o2o.membership.rules.phones import parse_phone
from o2o.membership.web.pad_errors import AmountNotMoney
from o2o.membership.web.step_up import fault_or_none, member_of, now_of, to_card, told_of
from o2o.membership.web.views import frame_of
from o2o.staff.actions.count_guess import GuessLimit, count_guess, guess_key
from o2o.web.answers import is_for_program
from o2o.web.forms import Fault, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
PAGE = "pass-on"
TOLD = frozenset({"offered", "accepted", "declined", "withdrawn"})
# Whoever types numbers to find out who is a member is stopped.
RECEIVER_LIMIT = GuessLimit(
    use="pass_on_receiver", free=10, window=timedelta(hours=1), lock=timedelta(hours=1)
)
Typed = Annotated[str, msgspec.Meta(max_length=128)]


class OfferForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much, to whom (phone or card; nothing for a link), a few words, the pay PIN."""

    request_id: UUID
    amount_yuan: Typed = ""
    receiver: Typed = ""
    by_link: Annotated[str, msgspec.Meta(max_length=8)] = ""
    message: Typed = ""
    pay_pin: Typed = ""
    csrf: str = ""


class OfferRow(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as one of the two sees it."""

    offer: OfferView
    is_mine: bool
    # The other one, masked; empty where there is no name, or nobody yet.
    other: str
    card_tail: str
    # Only of one's own offer that waits.
    link: str
    is_open: bool


class PassOnPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form and the offers of both directions."""

    balance_fen: int
    has_pin: bool
    offers: list[OfferRow]
    request_id: RequestId
    told: str
    fault: Fault | None
    typed: OfferForm | None


class DinerPassOnPages(Controller):
    """`/h5/{account}/pass-on`."""

    path = "/h5/{account:str}/pass-on"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_offers(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Show the form, what waits and what was."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        return await _page(request, tx, diner, seal=seal)

    @post("/")
    async def offer(
        self,
        request: AnyRequest,
        data: Annotated[OfferForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Offer an amount. Raises what check_pay_pin and offer_pass_on refuse, PassOnLocked."""
        member_id = member_of(diner)
        now = now_of(request)
        try:
            amount_fen = _amount(data.amount_yuan)
            # Before the first statement of this transaction: tries are counted beside it.
            pin = fold_width(data.pay_pin)
            await check_pay_pin(tx, member_id=member_id, pin=pin, now=now)
            receiver = None
            if data.by_link != "yes":
                receiver = await _find_receiver(request, tx, diner, typed=data.receiver)
            await offer_pass_on(
                tx,
                request_id=RequestId(data.request_id),
                from_member_id=member_id,
                to_member_id=receiver,
                amount_fen=amount_fen,
                message=data.message,
                seal=seal,
                now=now,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, seal=seal, fact=fact, typed=data)
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=offered")

    @post("/{offer_id:uuid}/{answer:str}")
    async def answer(
        self,
        request: AnyRequest,
        offer_id: FromPath[UUID],
        answer: FromPath[str],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Accept, decline or withdraw an offer. Raises PassOnNotFound, PassOnEnded."""
        member_id = member_of(diner)
        now = now_of(request)
        try:
            if answer == "accept":
                await accept_pass_on(
                    tx, offer_id=offer_id, member_id=member_id, by_link=False, now=now
                )
            elif answer == "decline":
                await decline_pass_on(
                    tx, offer_id=offer_id, member_id=member_id, by_link=False, now=now
                )
            elif answer == "withdraw":
                await withdraw_pass_on(tx, offer_id=offer_id, member_id=member_id, now=now)
            else:
                raise PassOnNotFound
        except Fact as fact:
            # Raised, so that what was set free before the refusal is set aside again.
            fact.detail.setdefault("retry_url", f"/h5/{diner.account_slug}/{PAGE}")
            raise
        told = {"accept": "accepted", "decline": "declined"}.get(answer, "withdrawn")
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told={told}")

    @get("/links/{token:str}")
    async def show_link(
        self,
        request: AnyRequest,
        token: FromPath[str],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Show what somebody offers to whoever holds the link, member or not yet."""
        return await _link_page(request, tx, diner, token=token, seal=seal)

    @post("/links/{token:str}")
    async def accept_link(
        self,
        request: AnyRequest,
        token: FromPath[str],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Take what the link offers. Raises what accept_pass_on refuses."""
        member_id = member_of(diner)
        try:
            offer = await _offer_of(tx, diner, token=token, seal=seal)
            await accept_pass_on(
                tx, offer_id=offer.id, member_id=member_id, by_link=True, now=now_of(request)
            )
        except Fact as fact:
            fact.detail.setdefault("retry_url", f"/h5/{diner.account_slug}/{PAGE}/links/{token}")
            raise
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=accepted")


def _amount(typed: str) -> int:
    try:
        return parse_yuan(fold_width(typed))
    except ValueError as error:
        raise AmountNotMoney(field="amount_yuan") from error


async def _find_receiver(request: AnyRequest, tx: Tx, diner: Diner, *, typed: str) -> UUID:
    """Return whose phone or card was typed. Raises PassOnReceiverUnknown, PassOnLocked."""
    text = "".join(fold_width(typed).split())
    if len(text) == 16 and text.isascii() and text.isdigit():
        found = await find_member_by_card(tx, brand_id=diner.brand_id, card_no=text)
        receivers = [found] if found else []
    else:
        try:
            phone = parse_phone(text)
        except PhoneInvalid:
            phone = ""
        owners = await find_members_by_phone(tx, brand_id=BrandId(diner.brand_id), phone=phone)
        # Of several with one number only a verified one is surely meant.
        receivers = [owner.member_id for owner in owners if owner.is_verified]
    if len(receivers) == 1:
        return receivers[0]
    async with transaction_beside(tx) as own:
        key = guess_key(RECEIVER_LIMIT, diner.member_id)
        wait = await count_guess(own, key, limit=RECEIVER_LIMIT, now=now_of(request))
    if wait is not None:
        raise PassOnLocked(retry_after_seconds=wait)
    raise PassOnReceiverUnknown


async def _offer_of(tx: Tx, diner: Diner, *, token: str, seal: Seal) -> OfferView:
    """Return the offer behind a link. Raises PassOnNotFound, also in another brand's account."""
    offer = await find_offer_by_token(tx, token_hash(seal, token))
    if offer is None or offer.brand_id != diner.brand_id:
        raise PassOnNotFound
    return offer


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    seal: Seal,
    fact: Fact | None = None,
    typed: OfferForm | None = None,
) -> Response[str]:
    member_id = member_of(diner)
    wallet = await get_wallet(tx, MemberId(member_id))
    base = f"{platform_of(request).settings.public_url}/h5/{diner.account_slug}/{PAGE}"
    page = PassOnPage(
        balance_fen=wallet.balance_fen,
        has_pin=await has_pay_pin(tx, member_id),
        offers=[
            _row(offer, member_id=member_id, base=base, seal=seal, now=now_of(request))
            for offer in await list_offers(tx, member_id)
        ],
        request_id=new_request_id(),
        told=told_of(request, TOLD),
        fault=fault_or_none(request, fact),
        typed=typed,
    )
    frame = frame_of(diner, language=language_of(request), tab="wallet")
    status = fact.status if fact else 200
    return show(request, "diner/pass_on.html", status=status, frame=frame, view=page)


def _row(offer: OfferView, *, member_id: UUID, base: str, seal: Seal, now: Any) -> OfferRow:
    is_mine = offer.from_member_id == member_id
    is_open = offer.status is PassOnStatus.OFFERED and offer.expires_at > now
    by_link = is_mine and is_open and offer.by_link
    return OfferRow(
        offer=offer,
        is_mine=is_mine,
        other=mask_name(offer.to_name if is_mine else offer.from_name) or "",
        card_tail=(offer.to_card_no or "")[-4:] if is_mine else "",
        link=f"{base}/links/{link_token(seal, offer.id)}" if by_link else "",
        is_open=is_open,
    )


async def _link_page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    token: str,
    seal: Seal,
) -> Response[Any]:
    now = now_of(request)
    found = await _offer_of(tx, diner, token=token, seal=seal)
    offer = await find_offer(tx, found.id)
    if offer is None:
        raise PassOnNotFound
    frame = frame_of(diner, language=language_of(request), tab="wallet")
    if diner.is_snapshot:
        return show(request, "diner/snapshot.html", frame=frame)
    return show(
        request,
        "diner/pass_on_link.html",
        frame=frame,
        offer=offer,
        from_masked=mask_name(offer.from_name) or "",
        is_open=offer.status is PassOnStatus.OFFERED and offer.expires_at > now,
        is_member=diner.member_id is not None,
        is_own=diner.member_id == offer.from_member_id,
        is_taken_by_me=diner.member_id is not None and offer.to_member_id == diner.member_id,
        token=token,
    )

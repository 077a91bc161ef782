"""Privacy on the diner's phone: consents, profiling, correction, a copy of the data, deletion."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.crm.statuses import Audience
from o2o.infra.aside import compute_aside
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.actions.answer_consents import agree_to_terms, answer_profiling
from o2o.membership.actions.answer_marketing import answer_marketing
from o2o.membership.actions.correct_profile import correct_profile
from o2o.membership.actions.delete_member import delete_member
from o2o.membership.errors_pay_pin import PayPinLocked, PayPinMissing, PayPinWrong
from o2o.membership.errors_privacy import (
    BalanceLeft,
    DeletionNotConfirmed,
    NotSettled,
    StepUpNeeded,
)
from o2o.membership.queries.consents import PrivacyState, get_privacy_state
from o2o.membership.queries.leaving import Leaving, get_leaving
from o2o.membership.queries.personal_data import get_person
from o2o.membership.web.step_up import (
    StepUp,
    fault_or_none,
    load_step_up,
    make_sure,
    member_of,
    now_of,
    to_card,
    told_of,
)
from o2o.membership.web.views import TermsPage, frame_of
from o2o.stores.queries import get_brand
from o2o.web.answers import is_for_program
from o2o.web.cookies import ended_cookie
from o2o.web.forms import Fault, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show
from o2o.wechat.spool.erase import erase_from_spool

AnyRequest = Request[Any, Any, Any]
TOLD = frozenset({"saved", "agreed", "corrected"})
Typed = Annotated[str, msgspec.Meta(max_length=128)]
DELETE_PAGE = "privacy/delete"
# Shown in the page; anything else undoes the transaction.
REFUSED_BEFORE_ANYTHING_MOVED = (
    BalanceLeft,
    DeletionNotConfirmed,
    NotSettled,
    PayPinLocked,
    PayPinMissing,
    PayPinWrong,
    StepUpNeeded,
)


class PrivacyForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer; what is not named stays as it is."""

    marketing: Literal["on", "off"] | None = None
    profiling: Literal["on", "off"] | None = None
    agree_to: Typed | None = None
    csrf: str = ""


class ProfileForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name and birthday as they should be."""

    # However long: the rule of names says what is wrong with it.
    name: str = ""
    birthday: Typed = ""
    csrf: str = ""


class DeleteForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The word that was asked for, whether money is given up, and who asks."""

    confirmation: Typed = ""
    gives_up: Annotated[str, msgspec.Meta(max_length=8)] = ""
    pay_pin: Typed = ""
    csrf: str = ""


class DeletePage(msgspec.Struct, frozen=True, kw_only=True):
    """What goes, what stays, and the word to type."""

    leaving: Leaving
    step_up: StepUp
    fault: Fault | None
    typed: str
    gives_up: bool


class DinerPrivacyPages(Controller):
    """`/h5/{account}/privacy`."""

    path = "/h5/{account:str}/privacy"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_privacy(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[str]:
        """Show the member's choices, and the terms and the notice to everybody."""
        language = language_of(request)
        frame = frame_of(diner, language=language, tab="me")
        terms = TermsPage.of(platform_of(request).words.table("privacy", language), frame=frame)
        state = None
        if diner.member_id is not None and not diner.is_snapshot:
            state = await get_privacy_state(tx, diner.member_id)
        told = told_of(request, TOLD)
        return show(request, "diner/privacy.html", frame=frame, view=terms, state=state, told=told)

    @post("/")
    async def answer(
        self,
        request: AnyRequest,
        data: Annotated[PrivacyForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Keep the member's answer. Raises TermsChanged."""
        member_id = member_of(diner)
        now = now_of(request)
        brand = await get_brand(tx, diner.brand_id)
        if data.marketing is not None:
            await answer_marketing(
                tx,
                member_id=member_id,
                is_wanted=data.marketing == "on",
                terms_version=brand.terms_version,
                now=now,
            )
        if data.profiling is not None:
            await answer_profiling(
                tx, member_id=member_id, is_allowed=data.profiling == "on", now=now
            )
        if data.agree_to is not None:
            await agree_to_terms(
                tx,
                member_id=member_id,
                shown_version=data.agree_to,
                terms_version=brand.terms_version,
                now=now,
            )
        told = "agreed" if data.agree_to is not None else "saved"
        return go_on(request, f"/h5/{diner.account_slug}/privacy?told={told}")

    @get("/profile")
    async def show_profile(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show name and birthday, to be corrected."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        return await _profile_page(request, tx, diner)

    @post("/profile")
    async def correct(
        self,
        request: AnyRequest,
        data: Annotated[ProfileForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Correct name and birthday. Raises NameInvalid, BirthdayUnusable."""
        member_id = member_of(diner)
        try:
            await correct_profile(
                tx,
                member_id=member_id,
                name=data.name,
                birthday=data.birthday,
                now=now_of(request),
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _profile_page(request, tx, diner, fact=fact, typed=data)
        return go_on(request, f"/h5/{diner.account_slug}/privacy?told=corrected")

    @get("/delete")
    async def show_delete(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show what deleting takes away."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        return await _delete_page(request, tx, diner)

    @post("/delete")
    async def delete(
        self,
        request: AnyRequest,
        data: Annotated[DeleteForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Delete the membership and everything that names the person.

        Answered with a page of its own: going on to any other would have WeChat name the browser
        again. Raises what make_sure and delete_member refuse, DeletionNotConfirmed.
        """
        member_id = member_of(diner)
        now = now_of(request)
        platform = platform_of(request)
        try:
            if data.confirmation.strip() != confirmation_word(request):
                raise DeletionNotConfirmed
            await make_sure(tx, diner, pin=data.pay_pin, now=now)
            frame = frame_of(diner, language=language_of(request))
            deleted = await delete_member(
                tx, member_id=member_id, gives_up_balance=data.gives_up == "yes", now=now
            )
        except REFUSED_BEFORE_ANYTHING_MOVED as fact:
            if is_for_program(request):
                raise
            return await _delete_page(request, tx, diner, fact=fact, typed=data)
        # What this machine set aside because it could not be read; an empty folder costs nothing.
        spool = platform.settings.data_dir / "spool"
        await compute_aside(erase_from_spool, spool, deleted.openids)
        answer = show(request, "diner/deleted.html", frame=frame)
        answer.set_cookie(ended_cookie(platform.settings, Audience.DINER))
        return answer


def confirmation_word(request: AnyRequest) -> str:
    """Return what has to be typed, in the reader's language."""
    return platform_of(request).words.text("privacy_page.delete.word", language_of(request))


async def _profile_page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    fact: Fact | None = None,
    typed: ProfileForm | None = None,
) -> Response[str]:
    state: PrivacyState = await get_privacy_state(tx, member_of(diner))
    birthday = state.birthday.isoformat() if state.birthday else ""
    frame = frame_of(diner, language=language_of(request), tab="me")
    return show(
        request,
        "diner/privacy_profile.html",
        status=fact.status if fact else 200,
        frame=frame,
        name=typed.name if typed else state.name or "",
        birthday=typed.birthday if typed else birthday,
        has_name=state.name is not None,
        today=now_of(request).date().isoformat(),
        fault=fault_or_none(request, fact),
    )


async def _delete_page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    fact: Fact | None = None,
    typed: DeleteForm | None = None,
) -> Response[str]:
    now = now_of(request)
    person = await get_person(tx, member_of(diner))
    page = DeletePage(
        leaving=await get_leaving(tx, person.member_ids, now=now),
        step_up=await load_step_up(tx, diner, page=DELETE_PAGE, now=now),
        fault=fault_or_none(request, fact),
        typed=typed.confirmation if typed else "",
        gives_up=typed is not None and typed.gives_up == "yes",
    )
    frame = frame_of(diner, language=language_of(request), tab="me")
    status = fact.status if fact else 200
    return show(
        request,
        "diner/delete.html",
        status=status,
        frame=frame,
        view=page,
        word=confirmation_word(request),
    )

"""The diner's cards: bind a bought one, report one lost, take a merge apart."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.infra.audit import Actor
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.errors import Fact
from o2o.kernel.ids import RequestId, new_request_id
from o2o.membership.actions.bind_offline_card import BindCard, bind_offline_card
from o2o.membership.actions.report_loss import report_loss, report_offline_card_lost
from o2o.membership.actions.unmerge_members import unmerge_members
from o2o.membership.errors import CardNeeded, ConsentMissing, TermsChanged
from o2o.membership.errors_identity import (
    CardAlreadyYours,
    CardOfSomebodyElse,
    CardReplaced,
    CardReportedLost,
    MergeNotFound,
    UnnamedCardNotReplaced,
)
from o2o.membership.queries import get_member_view
from o2o.membership.queries.merge_preview import (
    UndoableMerge,
    is_merge_of,
    list_undoable_merges,
)
from o2o.membership.web.identity_pages import check_is_person, checked_terms, show_bind
from o2o.membership.web.identity_views import LossPage, MergePage
from o2o.membership.web.views import frame_of
from o2o.web.answers import answer_fact, is_for_program
from o2o.web.client import client_address
from o2o.web.forms import go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
Typed = Annotated[str, msgspec.Meta(max_length=128)]
# Raised before anything is written, so that the page may say so and the rest be kept.
_SAID_ON_THE_PAGE = (
    CardAlreadyYours,
    CardOfSomebodyElse,
    CardReplaced,
    CardReportedLost,
    ConsentMissing,
    TermsChanged,
)


class CardForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Number and scratch code; from somebody without a card also the tick under the terms."""

    card_no: Typed = ""
    code: Typed = ""
    membership: Typed = ""
    terms_version: Typed = ""
    csrf: str = ""


class IntentionForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One press of a button that must act once."""

    request_id: UUID
    csrf: str = ""


class DinerCardCases(Controller):
    """`/h5/{account}/bind/card`, `/lost`, `/cards/{id}/lost` and `/merges/{id}`."""

    path = "/h5/{account:str}/bind"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @post("/card")
    async def bind_card(
        self,
        request: AnyRequest,
        data: Annotated[CardForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Bind a bought card. A wrong guess is answered, not raised: it stays counted."""
        check_is_person(diner)
        try:
            frame = frame_of(diner, language=language_of(request))
            terms = checked_terms(
                diner,
                membership=data.membership,
                terms_version=data.terms_version,
                in_force=frame.terms_version,
            )
            asked = BindCard(
                fan_id=diner.fan_id,
                account_id=diner.account_id,
                address=client_address(request),
                card_no=data.card_no,
                code=data.code,
                terms_version=terms,
            )
            bound = await bind_offline_card(tx, asked, seal=seal, now=clock.now())
        except _SAID_ON_THE_PAGE as fact:
            bound = fact
        if isinstance(bound, Fact):
            if is_for_program(request):
                return answer_fact(request, bound)
            # The code is a secret: it is typed again, and not written into a page.
            typed = {"card_no": data.card_no, "membership": data.membership}
            return await show_bind(request, tx, diner, fact=bound, fault_in="card", typed=typed)
        told = "card_joined" if bound.merged_member_id else "card"
        return go_on(request, f"/h5/{diner.account_slug}/bind?told={told}")

    @get("/lost")
    async def show_loss(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show what reporting the card lost does."""
        return await _show_loss(request, tx, diner)

    @post("/lost")
    async def lose(
        self,
        request: AnyRequest,
        data: Annotated[IntentionForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Replace the card's number, once however often it is pressed."""
        member_id = _member_of(diner)
        await report_loss(
            tx,
            request_id=RequestId(data.request_id),
            member_id=member_id,
            by=Actor("member", member_id),
            now=clock.now(),
        )
        return go_on(request, f"/h5/{diner.account_slug}/bind?told=lost")

    @post("/cards/{card_id:uuid}/lost")
    async def lose_bought(
        self,
        request: AnyRequest,
        card_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Let nobody use a bought card any more."""
        member_id = _member_of(diner)
        try:
            await report_offline_card_lost(
                tx,
                member_id=member_id,
                card_id=card_id,
                by=Actor("member", member_id),
                now=clock.now(),
            )
        except UnnamedCardNotReplaced as fact:
            if is_for_program(request):
                raise
            return await show_bind(request, tx, diner, fact=fact, fault_in="bought")
        return go_on(request, f"/h5/{diner.account_slug}/bind?told=card_lost")

    @get("/merges/{merge_id:uuid}")
    async def show_merge(
        self,
        request: AnyRequest,
        merge_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Show what taking a merge apart does. Raises MergeNotFound."""
        merge = await _own_merge(request, tx, diner, merge_id)
        page = MergePage(merge=merge, request_id=new_request_id())
        frame = frame_of(diner, language=language_of(request), tab="me")
        return show(request, "diner/bind_merge.html", frame=frame, view=page)

    @post("/merges/{merge_id:uuid}/undo")
    async def undo_merge(
        self,
        request: AnyRequest,
        merge_id: FromPath[UUID],
        data: Annotated[IntentionForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Take a merge of one's own apart. Raises MergeNotFound and those of unmerge_members."""
        member_id = _member_of(diner)
        if not await is_merge_of(tx, merge_id, member_id=member_id):
            raise MergeNotFound
        await unmerge_members(
            tx,
            request_id=RequestId(data.request_id),
            merge_id=merge_id,
            by=Actor("member", member_id),
            now=clock.now(),
        )
        return go_on(request, f"/h5/{diner.account_slug}/bind?told=undone")


def _member_of(diner: Diner) -> UUID:
    check_is_person(diner)
    if diner.member_id is None:
        raise CardNeeded
    return diner.member_id


async def _own_merge(request: AnyRequest, tx: Tx, diner: Diner, merge_id: UUID) -> UndoableMerge:
    now = platform_of(request).clock.now()
    merges = await list_undoable_merges(tx, _member_of(diner), now=now)
    found = [merge for merge in merges if merge.merge_id == merge_id]
    if not found:
        raise MergeNotFound
    return found[0]


async def _show_loss(request: AnyRequest, tx: Tx, diner: Diner) -> Response[Any]:
    if diner.member_id is None or diner.is_snapshot:
        return go_on(request, f"/h5/{diner.account_slug}/bind")
    member = await get_member_view(tx, diner.member_id, brand_id=diner.brand_id)
    frame = frame_of(diner, language=language_of(request), tab="me")
    return show(request, "diner/bind_lost.html", frame=frame, view=LossPage.of(member))

"""The diner's card: join, the card itself, and the answer to a scan in an unlikely place."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.membership.actions.answer_held_visit import confirm_travel, refuse_travel
from o2o.membership.actions.answer_marketing import answer_marketing
from o2o.membership.actions.join_membership import join_membership
from o2o.membership.errors import SnapshotSession
from o2o.membership.queries import get_member_view, get_tier_progress, list_held_visits
from o2o.membership.web import diner_statement
from o2o.membership.web.diner_charges import DinerChargePages
from o2o.membership.web.diner_code import DinerCodePages
from o2o.membership.web.diner_export import DinerExportPages, ExportFiles
from o2o.membership.web.diner_pass_on import DinerPassOnPages
from o2o.membership.web.diner_pin import DinerPINPages
from o2o.membership.web.diner_points import DinerPointsPages
from o2o.membership.web.diner_privacy import DinerPrivacyPages
from o2o.membership.web.diner_refund import DinerRefundPages
from o2o.membership.web.diner_self import DinerSelfPages
from o2o.membership.web.diner_wallet import DinerWalletPages
from o2o.membership.web.views import CardPage, DinerFrame, JoinPage, frame_of
from o2o.stores.queries import list_tier_names
from o2o.web.guards import diner_guard, provide_diner
from o2o.web.language import language_of
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
CARD_PANELS = "diner.card"
# What a page that came here by a redirect says once; anything else in the address says nothing.
_TOLD = frozenset({"welcome", "confirmed", "refused"})


class JoinForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the join page sends: which terms were shown, and the two ticks."""

    terms_version: str = ""
    membership: str = ""
    marketing: str = ""
    csrf: str = ""


class HeldVisitAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it is the member who stands at that counter."""

    is_me: Literal["yes", "no"]
    csrf: str = ""


def to_page(account: str, page: str) -> Response[Any]:
    """Send the browser on to another of the account's pages."""
    return Redirect(f"/h5/{account}/{page}", status_code=303, headers={"Cache-Control": "no-store"})


class DinerCardPages(Controller):
    """`/h5/{account}/card`, where everything starts.

    The card takes who asks and the clock from the request: the framework resolves two dependencies
    in a task group, and no page is opened as often.
    """

    path = "/h5/{account:str}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def start(self, account: FromPath[str]) -> Response[Any]:
        """Open the card."""
        return to_page(account, "card")

    @get("/card")
    async def show_card(
        self,
        request: AnyRequest,
        reads: NamedDependency[Tx],
    ) -> Response[str]:
        """Show the card; to others how to get one, or why WeChat's snapshot cannot."""
        diner, platform = provide_diner(request), platform_of(request)
        frame = frame_of(diner, language=language_of(request), tab="card")
        if diner.is_snapshot:
            return show(request, "diner/snapshot.html", frame=frame)
        if diner.member_id is None:
            join_page = await _join_page(reads, diner, frame=frame)
            return show(request, "diner/join.html", frame=frame, view=join_page)
        now = platform.clock.now()
        told = request.query_params.get("told", "")
        page = CardPage.of(
            await get_member_view(reads, diner.member_id, brand_id=diner.brand_id),
            await get_tier_progress(reads, diner.member_id, now=now),
            held=await list_held_visits(reads, member_id=diner.member_id, now=now),
            told=told if told in _TOLD else "",
        )
        return show(
            request,
            "diner/card.html",
            frame=frame,
            view=page,
            panels=await platform.panels.load(CARD_PANELS, reads, diner),
            share=_share(platform, frame, language=language_of(request)),
        )

    @post("/card")
    async def join(
        self,
        request: AnyRequest,
        data: Annotated[JoinForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Make the diner a member: once, however often the button is pressed.

        Raises SnapshotSession, whatever the form says.
        """
        if diner.is_snapshot:
            raise SnapshotSession
        frame = frame_of(diner, language=language_of(request), tab="card")
        fault, status = _join_fault(data, frame=frame)
        if fault:
            wants = data.marketing == "yes"
            page = await _join_page(tx, diner, frame=frame, fault=fault, wants_marketing=wants)
            return show(request, "diner/join.html", status=status, frame=frame, view=page)
        now = clock.now()
        joined = await join_membership(
            tx,
            fan_id=diner.fan_id,
            account_id=diner.account_id,
            terms_version=data.terms_version,
            is_snapshot=diner.is_snapshot,
            now=now,
        )
        # Only a yes is taken from here: who joins again without the tick has withdrawn nothing.
        if data.marketing == "yes":
            await answer_marketing(
                tx,
                member_id=joined.member_id,
                is_wanted=True,
                terms_version=data.terms_version,
                now=now,
            )
        return to_page(diner.account_slug, "card?told=welcome" if joined.is_new else "card")

    @post("/visits/{visit_id:uuid}/answer")
    async def answer_held_visit(
        self,
        visit_id: FromPath[UUID],
        data: Annotated[HeldVisitAnswer, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Let a doubted visit go on, or end it. Raises VisitExpired."""
        if diner.member_id is None or diner.is_snapshot:
            return to_page(diner.account_slug, "card")
        answer, told = (
            (confirm_travel, "confirmed") if data.is_me == "yes" else (refuse_travel, "refused")
        )
        await answer(tx, visit_id=visit_id, member_id=diner.member_id, now=clock.now())
        return to_page(diner.account_slug, f"card?told={told}")


def _join_fault(data: JoinForm, *, frame: DinerFrame) -> tuple[str, int]:
    """Say why a join form cannot be taken: a key of `diner.join` and a status, or nothing."""
    if data.membership != "yes":
        return "agree_missing", 422
    if data.terms_version != frame.terms_version:
        return "terms_changed", 409
    return "", 200


async def _join_page(
    tx: Tx, diner: Diner, *, frame: DinerFrame, fault: str = "", wants_marketing: bool = False
) -> JoinPage:
    tiers = await list_tier_names(tx, diner.brand_id)
    return JoinPage(
        terms_version=frame.terms_version,
        first_tier=tiers[0] if tiers else "",
        last_tier=tiers[-1] if tiers else "",
        tier_count=len(tiers),
        fault=fault,
        wants_marketing=wants_marketing,
    )


def _share(platform: Platform, frame: DinerFrame, *, language: str) -> dict[str, Any]:
    """Tell the page's script what the page looks like when it is forwarded."""
    settings, words = platform.settings, platform.words
    return {
        "sdk_url": settings.wechat_jssdk_url,
        "config_url": f"/wechat/{frame.account_slug}/jssdk",
        "is_demo": settings.demo,
        "title": words.text("diner.card.share_title", language, brand=frame.brand_name),
        "text": words.text("diner.card.share_text", language),
        "link": f"{settings.public_url}/h5/{frame.account_slug}/card",
        "picture": f"{settings.public_url}{platform.pages.static('img/share-card.png')}",
    }


route_handlers = [
    DinerCardPages,
    DinerChargePages,
    DinerCodePages,
    DinerWalletPages,
    DinerSelfPages,
    DinerPointsPages,
    DinerRefundPages,
    DinerPassOnPages,
    DinerPINPages,
    DinerPrivacyPages,
    DinerExportPages,
    ExportFiles,
    *diner_statement.route_handlers,
]

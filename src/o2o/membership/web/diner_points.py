"""The diner's points: what there is and until when, every movement, and giving some away."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.crm.statuses import Asset
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId, new_request_id
from o2o.kernel.text import fold_width
from o2o.ledger.actions.donate_points import DonatePoints, donate_points
from o2o.ledger.queries import get_wallet
from o2o.membership.errors_privacy import DonationUnreadable
from o2o.membership.queries.points_lots import PointsLot, list_points_lots
from o2o.membership.web.diner_wallet import Before, load_statement
from o2o.membership.web.step_up import fault_or_none, member_of, now_of, to_card, told_of
from o2o.membership.web.views import DinerFrame, PointsPage, frame_of
from o2o.web.answers import is_for_program
from o2o.web.copy import Words
from o2o.web.forms import Fault, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
DIGITS_MAX = 9


class DonateForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many points, for what."""

    request_id: UUID
    cause: Annotated[str, msgspec.Meta(max_length=32)] = ""
    points: Annotated[str, msgspec.Meta(max_length=32)] = ""
    csrf: str = ""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What the brand gives for; its words come from the copy."""

    key: str
    title: str
    text: str


class PointsWithLots(PointsPage, frozen=True, kw_only=True):
    """The points, by when they end, and the causes."""

    points: int
    lots: list[PointsLot]
    causes: list[Cause]
    donate_request_id: RequestId
    told: str
    fault: Fault | None
    typed: str


class DinerPointsPages(Controller):
    """`/h5/{account}/points`."""

    path = "/h5/{account:str}/points"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_points(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        before: Before = None,
    ) -> Response[Any]:
        """Show the points and where they came from, or only more lines."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        if "hx-request" in request.headers:
            part = await load_statement(tx, MemberId(diner.member_id), Asset.POINTS, before=before)
            return show(request, "diner/statement_part.html", view=part)
        return await _page(request, tx, diner, before=before)

    @post("/donations")
    async def donate(
        self,
        request: AnyRequest,
        data: Annotated[DonateForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Give points for a cause. Raises DonationUnreadable and what donate_points refuses."""
        member_id = member_of(diner)
        try:
            frame = frame_of(diner, language=language_of(request))
            words = platform_of(request).words
            keys = {cause.key for cause in causes_of(words, frame, "zh_CN")}
            digits = fold_width(data.points)
            if data.cause not in keys or not digits.isdecimal() or len(digits) > DIGITS_MAX:
                raise DonationUnreadable
            await _donate(
                tx,
                member_id,
                points=int(digits),
                cause=data.cause,
                request_id=RequestId(data.request_id),
                now=now_of(request),
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact, typed=data.points)
        return go_on(request, f"/h5/{diner.account_slug}/points?told=donated")


async def _donate(
    tx: Tx, member_id: UUID, *, points: int, cause: str, request_id: RequestId, now: datetime
) -> None:
    [given] = await donate_points(
        tx,
        [
            DonatePoints(
                request_id=request_id,
                member_id=MemberId(member_id),
                store_id=None,
                points=points,
                reason=cause,
                now=now,
            )
        ],
    )
    if isinstance(given, Fact):
        raise given


def causes_of(words: Words, frame: DinerFrame, language: str) -> list[Cause]:
    """Return what a brand gives for; brands without causes of their own share the general ones."""
    causes = words.table("charity", language).get("causes", {})
    chosen: dict[str, dict[str, str]] = causes.get(frame.brand_slug) or causes.get("general", {})
    return [Cause(key=key, title=said["title"], text=said["text"]) for key, said in chosen.items()]


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    before: int | None = None,
    fact: Fact | None = None,
    typed: str = "",
) -> Response[str]:
    member_id = MemberId(member_of(diner))
    part = await load_statement(tx, member_id, Asset.POINTS, before=before)
    wallet = await get_wallet(tx, member_id)
    language = language_of(request)
    frame = frame_of(diner, language=language)
    page = PointsWithLots(
        rows=part.rows,
        unit=part.unit,
        next_before=part.next_before,
        is_continued=part.is_continued,
        points=wallet.points,
        points_text=f"{wallet.points:,}",
        lots=await list_points_lots(tx, member_id, now=now_of(request)),
        causes=causes_of(platform_of(request).words, frame, language),
        donate_request_id=new_request_id(),
        told=told_of(request, frozenset({"donated"})),
        fault=fault_or_none(request, fact),
        typed=typed,
    )
    status = fact.status if fact else 200
    return show(request, "diner/points.html", status=status, frame=frame, view=page)

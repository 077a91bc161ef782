"""A copy of the diner's data: asked for, waited for, and fetched once by a link of its own."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import ExportStatus
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.membership.actions.keep_export import check_link, fetch_export, make_link
from o2o.membership.actions.request_export import request_export
from o2o.membership.queries.exports import ExportView, find_latest_export
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
from o2o.membership.web.views import DinerFrame, frame_of
from o2o.stores.queries import get_account, get_brand
from o2o.web.answers import is_for_program
from o2o.web.forms import Fault, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
PAGE = "privacy/export"
FILE_NAME = "my-data.zip"


class ExportForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks."""

    pay_pin: Annotated[str, msgspec.Meta(max_length=64)] = ""
    csrf: str = ""


class ExportPage(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the latest copy. `link` only right after the member proved who asks."""

    latest: ExportView | None
    is_under_way: bool
    is_ready: bool
    link: str
    step_up: StepUp
    told: str
    fault: Fault | None


class DinerExportPages(Controller):
    """`/h5/{account}/privacy/export`."""

    path = "/h5/{account:str}/privacy/export"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_export(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show what a copy holds and how it is had."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        return await _page(request, tx, diner)

    @post("/")
    async def ask(
        self,
        request: AnyRequest,
        data: Annotated[ExportForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Have a copy made. Raises what make_sure refuses."""
        member_id = member_of(diner)
        now = now_of(request)
        try:
            await make_sure(tx, diner, pin=data.pay_pin, now=now)
            await request_export(
                tx,
                member_id=member_id,
                account_id=diner.account_id,
                language=language_of(request),
                now=now,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact)
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=asked")

    @post("/links")
    async def link(
        self,
        request: AnyRequest,
        data: Annotated[ExportForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Show a one-time link; an earlier one is dead. Raises ExportNotFound, what make_sure does.

        Answered with the page itself: the link is kept as a hash and cannot be shown again.
        """
        member_id = member_of(diner)
        now = now_of(request)
        try:
            await make_sure(tx, diner, pin=data.pay_pin, now=now)
            token = await make_link(tx, member_id=member_id, seal=seal, now=now)
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact)
        public_url = platform_of(request).settings.public_url
        link = f"{public_url}/h5/{diner.account_slug}/exports/{token}"
        return await _page(request, tx, diner, link=link)


class ExportFiles(Controller):
    """`/h5/{account}/exports/{token}`: for any browser, as WeChat's own cannot save a file."""

    path = "/h5/{account:str}/exports"

    @get("/{token:str}")
    async def show_file(
        self,
        request: AnyRequest,
        account: FromPath[str],
        token: FromPath[str],
        tx: NamedDependency[Tx],
        seal: NamedDependency[Seal],
    ) -> Response[str]:
        """Show the button; nothing is used up by looking. Raises ExportGone."""
        await check_link(tx, token=token, seal=seal, now=now_of(request))
        found = await get_account(tx, account)
        brand = await get_brand(tx, found.brand_id)
        frame = DinerFrame.of(found, brand, language=language_of(request))
        return show(request, "diner/export_link.html", frame=frame, token=token)

    @post("/{token:str}", status_code=200)
    async def fetch(
        self,
        request: AnyRequest,
        token: FromPath[str],
        tx: NamedDependency[Tx],
        seal: NamedDependency[Seal],
    ) -> Response[bytes]:
        """Give the ZIP, once. The secret in the address is all that is asked. Raises ExportGone."""
        content = await fetch_export(tx, token=token, seal=seal, now=now_of(request))
        return Response(
            content,
            media_type="application/zip",
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
            },
        )


async def _page(
    request: AnyRequest, tx: Tx, diner: Diner, *, fact: Fact | None = None, link: str = ""
) -> Response[str]:
    now = now_of(request)
    latest = await find_latest_export(tx, member_of(diner), now=now)
    status = latest.status if latest else None
    page = ExportPage(
        latest=latest,
        is_under_way=status is ExportStatus.REQUESTED,
        is_ready=status is ExportStatus.READY,
        link=link,
        step_up=await load_step_up(tx, diner, page=PAGE, now=now),
        told=told_of(request, frozenset({"asked"})),
        fault=fault_or_none(request, fact),
    )
    frame = frame_of(diner, language=language_of(request), tab="me")
    http_status = fact.status if fact else 200
    return show(request, "diner/export.html", status=http_status, frame=frame, view=page)

"""The member code on the phone: the full-screen page, and a fresh code whenever it asks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.ledger.queries import get_wallet
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.errors import CardNeeded, SnapshotSession
from o2o.membership.queries import list_held_visits
from o2o.membership.queries.answers import list_waiting_charges
from o2o.membership.web.views import CodeView, frame_of
from o2o.web.answers import is_for_program
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import Platform
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
_PRIVATE = {"Cache-Control": "no-store"}


class DinerCodePages(Controller):
    """`/h5/{account}/code`."""

    path = "/h5/{account:str}/code"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show_page(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Show the page; its script asks for the code at once, so that reading issues none."""
        if diner.member_id is None or diner.is_snapshot:
            return _to_card(diner)
        return await _page(
            request, tx, diner=diner, member_id=diner.member_id, platform=platform, now=clock.now()
        )

    @post(status_code=200)
    async def issue(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
        platform: NamedDependency[Platform],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Issue a code: JSON for the page's script, the page itself for a plain form.

        Raises SnapshotSession; CardNeeded for a program, while a person is shown the way to a card.
        """
        if diner.is_snapshot:
            raise SnapshotSession
        if diner.member_id is None:
            if is_for_program(request):
                raise CardNeeded
            return _to_card(diner)
        now = clock.now()
        issued = await issue_member_code(tx, seal=seal, member_id=diner.member_id, now=now)
        label = platform.words.text("diner.code.qr_label", language_of(request))
        code = CodeView.of(issued, label=label)
        if is_for_program(request):
            return Response(code, media_type=MediaType.JSON, headers=_PRIVATE)
        return await _page(
            request,
            tx,
            diner=diner,
            member_id=diner.member_id,
            platform=platform,
            now=now,
            code=code,
        )


async def _page(
    request: AnyRequest,
    tx: Tx,
    *,
    diner: Diner,
    member_id: UUID,
    platform: Platform,
    now: datetime,
    code: CodeView | None = None,
) -> Response[Any]:
    language = language_of(request)
    wallet = await get_wallet(tx, MemberId(member_id))
    return show(
        request,
        "diner/code.html",
        frame=frame_of(diner, language=language),
        code=code,
        held=await list_held_visits(tx, member_id=member_id, now=now),
        waiting=await list_waiting_charges(tx, member_id=member_id, now=now),
        # What the script tells a charge from: the difference to the balance that is pushed.
        balance_fen=wallet.balance_fen,
        # As they stand in the file: the script fills their places.
        texts=platform.words.table("diner", language)["code"],
    )


def _to_card(diner: Diner) -> Response[Any]:
    return Redirect(f"/h5/{diner.account_slug}/card", status_code=303, headers=_PRIVATE)

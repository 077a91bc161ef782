"""The member's phone: a charge above the limits asks for a yes."""

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
from o2o.membership.actions.answer_charge import confirm_charge, refuse_charge
from o2o.membership.errors_counter import ChargeNotAsked
from o2o.membership.queries.answers import list_waiting_charges
from o2o.membership.web.views import frame_of
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.panels import Panel, Panels
from o2o.web.platform import Platform
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
CARD_PANELS = "diner.card"
_DONE = frozenset({"confirmed", "refused"})


class ChargeAnswerForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The member's yes or no."""

    is_ok: Literal["yes", "no"]
    csrf: str = ""


class DinerChargePages(Controller):
    """`/h5/{account}/charges/{request}`."""

    path = "/h5/{account:str}/charges/{request_id:uuid}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def ask(
        self,
        request: AnyRequest,
        request_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Show what is asked: how much, where; or that there is nothing to answer any more."""
        if diner.member_id is None or diner.is_snapshot:
            return _to(diner, "card")
        waiting = await list_waiting_charges(
            tx, member_id=diner.member_id, now=clock.now(), request_id=request_id
        )
        done = request.query_params.get("done", "")
        return show(
            request,
            "diner/charge.html",
            frame=frame_of(diner, language=language_of(request), tab="card"),
            charge=waiting[0] if waiting else None,
            done=done if done in _DONE and not waiting else "",
        )

    @post("/answer")
    async def answer(
        self,
        request_id: FromPath[UUID],
        data: Annotated[ChargeAnswerForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Take the answer; what is over is shown as over."""
        if diner.member_id is None or diner.is_snapshot:
            return _to(diner, "card")
        answer, done = (
            (confirm_charge, "confirmed") if data.is_ok == "yes" else (refuse_charge, "refused")
        )
        now = platform.clock.now()
        try:
            await answer(tx, request_id=request_id, member_id=diner.member_id, now=now)
        except ChargeNotAsked:
            done = ""
        return _to(diner, f"charges/{request_id}?done={done}")


def _to(diner: Diner, page: str) -> Response[Any]:
    return Redirect(
        f"/h5/{diner.account_slug}/{page}",
        status_code=303,
        headers={"Cache-Control": "no-store"},
    )


def register(panels: Panels, *, clock: Clock) -> None:
    """Put what waits for an answer onto the card, for whoever opens it later."""

    async def load(tx: Tx, diner: Diner) -> Any | None:
        if diner.member_id is None or diner.is_snapshot:
            return None
        waiting = await list_waiting_charges(tx, member_id=diner.member_id, now=clock.now())
        return {"slug": diner.account_slug, "waiting": waiting} if waiting else None

    panels.add(
        CARD_PANELS,
        Panel(name="charges", template="diner/_charges.html", load=load, order=1),
    )

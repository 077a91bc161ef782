"""The pad's panel of cards: bind one that the clerk has in hand, replace a number that was lost."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.infra.audit import Actor
from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.kernel.ids import RequestId, new_request_id
from o2o.membership.actions.bind_offline_card import bind_card_at_pad
from o2o.membership.actions.report_loss import report_loss
from o2o.membership.queries import get_live_visit, get_member_view
from o2o.membership.queries.offline_cards import list_offline_cards
from o2o.membership.web.pad_pages import at_pad, counter_guard
from o2o.membership.web.pad_views import PadVisitContext
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.panels import Panel, Panels
from o2o.web.principals import Clerk

AnyRequest = Request[Any, Any, Any]
SLOT = "pad.visit"
TAIL = 4


class OwnedCard(msgspec.Struct, frozen=True, kw_only=True):
    """A bought card of the member."""

    tail: str
    status: str


class CardsPanel(msgspec.Struct, frozen=True, kw_only=True):
    """The bought cards of the member at the counter."""

    visit_id: UUID
    cards: list[OwnedCard]
    # Whether the member's own number may be replaced: unnamed cards are not.
    is_named: bool
    request_id: RequestId


async def load_cards(tx: Tx, context: PadVisitContext) -> CardsPanel:
    """Return the panel of a visit."""
    member = await get_member_view(tx, context.member_id, brand_id=context.brand_id)
    return CardsPanel(
        visit_id=context.visit_id,
        cards=[
            OwnedCard(tail=card.card_no[-TAIL:], status=card.status.value)
            for card in await list_offline_cards(tx, context.member_id)
        ],
        is_named=member.is_named,
        request_id=new_request_id(),
    )


class BindForm(msgspec.Struct, forbid_unknown_fields=True):
    """The number printed on the card."""

    card_no: Annotated[str, msgspec.Meta(max_length=64)]
    csrf: str = ""


class LossForm(msgspec.Struct, forbid_unknown_fields=True):
    """One press of the button."""

    request_id: UUID
    csrf: str = ""


class CounterCards(Controller):
    """What a clerk does with cards, inside a visit of this pad. All refusals are raised."""

    path = "/pad/visits/{visit_id:uuid}"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @post("/cards")
    async def bind_card(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        data: Annotated[BindForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Bind a card in hand to the member at the counter."""
        await bind_card_at_pad(
            tx, visit_id=visit_id, by=at_pad(clerk), card_no=data.card_no, now=clock.now()
        )
        return go_on(request, f"/pad/visits/{visit_id}?done=bound")

    @post("/card-loss")
    async def replace_card(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        data: Annotated[LossForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Replace the number of the member at the counter; the visit goes on."""
        now = clock.now()
        visit = await get_live_visit(tx, visit_id=visit_id, pad_id=clerk.pad_id, now=now)
        await report_loss(
            tx,
            request_id=RequestId(data.request_id),
            member_id=visit.member_id,
            by=Actor("staff", clerk.staff_id),
            now=now,
            spared_visit_id=visit_id,
        )
        return go_on(request, f"/pad/visits/{visit_id}?done=replaced")


def register(panels: Panels) -> None:
    """Contribute the panel to the pad's visit."""
    panels.add(SLOT, Panel(name="cards", template="pad/_cards.html", load=load_cards, order=80))


route_handlers = [CounterCards]

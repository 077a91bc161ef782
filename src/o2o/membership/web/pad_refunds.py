"""Paying out at the pad what a member asked to have back: a panel of the visit."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import RefundPayout, Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId, new_request_id
from o2o.ledger.queries.refunds import quote_refunds
from o2o.membership.actions.refund_stored_value_to_member import (
    CLERK_FEN_MAX,
    IN_HAND,
    pay_refund_at_pad,
)
from o2o.membership.queries.refund_requests import list_open_refund_wishes
from o2o.membership.web.pad_pages import at_pad, counter_guard
from o2o.membership.web.pad_views import PadVisitContext
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.panels import Panel, Panels
from o2o.web.platform import platform_of
from o2o.web.principals import Clerk

AnyRequest = Request[Any, Any, Any]
SLOT = "pad.visit"


class PayRefund(msgspec.Struct, forbid_unknown_fields=True):
    """What the pad showed and how it was handed over."""

    request_id: UUID
    refund_id: UUID
    expected_fen: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    tender: Tender = Tender.CASH
    csrf: str = ""


class DueRefund(msgspec.Struct, frozen=True, kw_only=True):
    """One wish as the clerk sees it; the amount is of this moment, in fen."""

    refund_id: UUID
    request_id: RequestId
    refund_fen: int
    forfeited_bonus_fen: int
    is_by_right: bool
    needs_manager: bool


class RefundPanel(msgspec.Struct, frozen=True, kw_only=True):
    """What the member of this visit waits for."""

    visit_id: UUID
    due: list[DueRefund]
    tenders: list[str]


async def load_refunds(tx: Tx, context: PadVisitContext) -> RefundPanel | None:
    """Return the panel of a visit; none where nothing is to be paid out in a store."""
    wishes = [
        wish
        for wish in await list_open_refund_wishes(tx, context.member_id)
        if wish.payout is RefundPayout.COUNTER
    ]
    if not wishes:
        return None
    quote = await quote_refunds(tx, MemberId(context.member_id), now=context.now)
    due = []
    for wish in wishes:
        lines = [line for line in quote.lines if wish.top_up_id in {None, line.top_up_id}]
        refund_fen = sum(line.refund_fen for line in lines)
        due.append(
            DueRefund(
                refund_id=wish.id,
                request_id=new_request_id(),
                refund_fen=refund_fen,
                forfeited_bonus_fen=sum(line.forfeited_bonus_fen for line in lines),
                is_by_right=wish.is_by_right,
                needs_manager=refund_fen > CLERK_FEN_MAX,
            )
        )
    return RefundPanel(
        visit_id=context.visit_id, due=due, tenders=sorted(tender.value for tender in IN_HAND)
    )


def register(panels: Panels) -> None:
    """Contribute the panel to the pad's visit."""
    panels.add(
        SLOT, Panel(name="refunds", template="pad/_refunds.html", load=load_refunds, order=5)
    )


class PadRefunds(Controller):
    """`/pad/visits/{visit}/refunds`."""

    path = "/pad/visits/{visit_id:uuid}/refunds"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @post("/")
    async def pay(
        self,
        request: AnyRequest,
        visit_id: FromPath[UUID],
        data: Annotated[PayRefund, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
    ) -> Response[Any]:
        """Note that the refund was handed over. Raises what pay_refund_at_pad refuses."""
        now = platform_of(request).clock.now()
        try:
            paid = await pay_refund_at_pad(
                tx,
                request_id=RequestId(data.request_id),
                refund_id=data.refund_id,
                visit_id=visit_id,
                expected_fen=data.expected_fen,
                tender=data.tender,
                by=at_pad(clerk),
                now=now,
            )
        except Fact as fact:
            # Raised, so that what was moved before the amounts were compared is undone.
            fact.detail.setdefault("retry_url", f"/pad/visits/{visit_id}")
            raise
        return go_on(
            request,
            f"/pad/visits/{visit_id}?done=refunded",
            transfer_id=str(paid.transfer_id),
            refund_fen=paid.amount_fen,
        )


route_handlers: list[Any] = [PadRefunds]

"""The refund calculator on the diner's phone, and asking for what it says."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import RefundPayout
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, RequestId, TransferId, new_request_id
from o2o.ledger.queries.refunds import RefundLine, quote_refunds
from o2o.membership.actions.ask_refund import ask_refund, parse_payee, withdraw_refund
from o2o.membership.queries.programmes import get_programme
from o2o.membership.queries.refund_requests import RefundWish, list_refund_wishes
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
from o2o.membership.web.views import frame_of
from o2o.stores.queries import list_stores
from o2o.web.answers import is_for_program
from o2o.web.forms import Fault, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
PAGE = "refunds"
WHOLE_CARD = "all"
Typed = Annotated[str, msgspec.Meta(max_length=128)]


class RefundForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which top-up (or `all`), how it is to be paid, and who asks."""

    request_id: UUID
    top_up: Annotated[str, msgspec.Meta(max_length=36)] = ""
    payout: RefundPayout = RefundPayout.COUNTER
    payee_name: Typed = ""
    payee_bank: Typed = ""
    payee_account: Typed = ""
    pay_pin: Typed = ""
    csrf: str = ""


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """One top-up in the calculator: principal less spent is refunded. Amounts in fen."""

    line: RefundLine
    store_name: str
    timezone: str
    spent_fen: int
    # A wish for it, or for the whole card, waits.
    is_asked: bool


class RefundsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The calculator and what became of earlier wishes."""

    rows: list[RefundRow]
    total_refund_fen: int
    total_forfeited_fen: int
    has_ended: bool
    can_ask_all: bool
    wishes: list[RefundWish]
    request_id: RequestId
    step_up: StepUp
    told: str
    fault: Fault | None
    typed: RefundForm | None


class DinerRefundPages(Controller):
    """`/h5/{account}/refunds`."""

    path = "/h5/{account:str}/refunds"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_refunds(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show what would be refunded, with the formula."""
        if diner.member_id is None or diner.is_snapshot:
            return to_card(diner)
        return await _page(request, tx, diner)

    @post("/")
    async def ask(
        self,
        request: AnyRequest,
        data: Annotated[RefundForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        seal: NamedDependency[Seal],
    ) -> Response[Any]:
        """Ask for a refund. Raises what make_sure and ask_refund refuse."""
        member_id = member_of(diner)
        now = now_of(request)
        try:
            await make_sure(tx, diner, pin=data.pay_pin, now=now)
            payee = None
            if data.payout is RefundPayout.BANK:
                payee = parse_payee(
                    name=data.payee_name, bank=data.payee_bank, account_no=data.payee_account
                )
            await ask_refund(
                tx,
                request_id=RequestId(data.request_id),
                member_id=member_id,
                brand_id=diner.brand_id,
                top_up_id=_top_up(data.top_up),
                payee=payee,
                seal=seal,
                now=now,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, diner, fact=fact, typed=data)
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=asked")

    @post("/{refund_id:uuid}/withdrawals")
    async def withdraw(
        self,
        request: AnyRequest,
        refund_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Take a wish back. Raises RefundRequestNotFound, RefundEnded."""
        member_id = member_of(diner)
        await withdraw_refund(tx, refund_id=refund_id, member_id=member_id, now=now_of(request))
        return go_on(request, f"/h5/{diner.account_slug}/{PAGE}?told=withdrawn")


def _top_up(chosen: str) -> TransferId | None:
    """Read which top-up is meant; what is none of the member's is refused by the calculator."""
    if chosen == WHOLE_CARD:
        return None
    try:
        return TransferId(UUID(chosen))
    except ValueError:
        return TransferId(UUID(int=0))


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    fact: Fact | None = None,
    typed: RefundForm | None = None,
) -> Response[str]:
    now = now_of(request)
    member_id = member_of(diner)
    quote = await quote_refunds(tx, MemberId(member_id), now=now)
    wishes = await list_refund_wishes(tx, member_id)
    asked = {wish.top_up_id for wish in wishes if wish.ended_at is None}
    programme = await get_programme(tx, BrandId(diner.brand_id))
    store_ids = [line.store_id for line in quote.lines if line.store_id is not None]
    stores = {store.id: store for store in await list_stores(tx, store_ids=store_ids)}
    rows = []
    for line in reversed(quote.lines):
        store = stores.get(line.store_id) if line.store_id else None
        rows.append(
            RefundRow(
                line=line,
                store_name=store.name if store else "",
                timezone=store.timezone if store else "Asia/Shanghai",
                spent_fen=line.principal_fen - line.principal_left_fen,
                is_asked=line.top_up_id in asked or None in asked,
            )
        )
    page = RefundsPage(
        rows=rows,
        total_refund_fen=quote.total_refund_fen,
        total_forfeited_fen=quote.total_forfeited_fen,
        has_ended=programme.ended_at is not None and programme.ended_at <= now,
        can_ask_all=quote.total_refund_fen > 0 and not asked,
        wishes=wishes,
        request_id=new_request_id(),
        step_up=await load_step_up(tx, diner, page=PAGE, now=now),
        told=told_of(request, frozenset({"asked", "withdrawn"})),
        fault=fault_or_none(request, fact),
        typed=typed,
    )
    frame = frame_of(diner, language=language_of(request), tab="wallet")
    status = fact.status if fact else 200
    return show(request, "diner/refunds.html", status=status, frame=frame, view=page)

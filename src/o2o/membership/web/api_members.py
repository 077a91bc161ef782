"""The JSON API of members: find one, look one up, read a statement."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from o2o.crm.statuses import Asset, Tender, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.ledger.queries import StatementLine, list_statement
from o2o.membership.desk import Desk
from o2o.membership.queries import MemberView, get_member_view
from o2o.membership.queries.recognition import (
    get_member_by_card,
    get_member_by_openid,
    get_member_by_phone,
)
from o2o.membership.rules.phones import parse_phone
from o2o.membership.rules.scratch_cards import fold_card_no
from o2o.membership.web.api_parts import READ_RESPONSES
from o2o.web.errors import FieldNotAllowed, RequestInvalid
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.principals import APIClient

OPENID_CHARS_MAX = 128
LINES = 20
LINES_MAX = 100

Text = Annotated[str | None, QueryParameter(max_length=256)]


class AssetName(StrEnum):
    """What a statement is of."""

    CNY_FEN = "cny_fen"
    STORED_VALUE = "stored_value"
    POINTS = "points"


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """One movement, signed: what came is positive. The parts are 0 for points."""

    seq: int
    transfer_id: UUID
    kind: TransferKind
    amount: int
    principal_fen: int
    bonus_fen: int
    balance_after: int
    store_id: UUID | None
    tender: Tender | None
    reason: str | None
    at: datetime


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """Movements, newest first. Ask again with `before` = `next_before` until that is null."""

    asset: Asset
    lines: list[LineView]
    next_before: int | None


class MemberAPI(Controller):
    """`/api/v1/members`."""

    path = "/members"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["members"]  # noqa: RUF012 - likewise

    @get(
        opt={"scope": "members:read"},
        summary="Find the member with a phone, an openid, a card or a live member code",
        responses=READ_RESPONSES,
    )
    async def find_member(
        self,
        tx: NamedDependency[Tx],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
        phone: Text = None,
        openid: Text = None,
        card: Text = None,
        code: Text = None,
    ) -> MemberView:
        """Take exactly one of the four. `card` is the number of the programme's card or of one
        bought over the counter. `code` is what the member's phone shows: it is recognised and stays
        as it is, so that the debit after it can bring the same code; wrong ones are counted.

        Raises RequestInvalid, PhoneInvalid, MemberNotFound, SeveralMembersFound, and what
        Desk.recognise raises.
        """
        name, value = _only_one(request, phone=phone, openid=openid, card=card, code=code)
        client = provide_api_client(request)
        member_id: UUID | None = None
        if name == "code":
            member_id = await desk.recognise(value, key_id=client.key_id, brand_id=client.brand_id)
        if member_id is None:
            member_id = await _find(tx, name, value, client)
        return await get_member_view(tx, member_id, brand_id=client.brand_id)

    @get(
        "/{member_id:uuid}",
        opt={"scope": "members:read"},
        summary="Look a member up",
        responses=READ_RESPONSES,
    )
    async def get_member(
        self,
        member_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        request: Request[Any, Any, Any],
    ) -> MemberView:
        """Return a member of the key's brand. Raises MemberNotFound."""
        return await get_member_view(tx, member_id, brand_id=provide_api_client(request).brand_id)

    @get(
        "/{member_id:uuid}/statement",
        opt={"scope": "members:read"},
        summary="Read a member's statement, newest first",
        responses=READ_RESPONSES,
    )
    async def read_statement(
        self,
        member_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        request: Request[Any, Any, Any],
        asset: Annotated[AssetName, QueryParameter()] = AssetName.CNY_FEN,
        before: Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=LINES_MAX)] = LINES,
    ) -> StatementView:
        """Return movements of stored value (`cny_fen`, also called `stored_value`) or of points.
        Raises MemberNotFound.
        """
        client = provide_api_client(request)
        member = await get_member_view(tx, member_id, brand_id=client.brand_id)
        kind = Asset.POINTS if asset is AssetName.POINTS else Asset.CNY_FEN
        # One more than asked for tells whether there is another page.
        lines = await list_statement(
            tx, MemberId(member.id), asset=kind, before_seq=before, limit=limit + 1
        )
        shown = lines[:limit]
        return StatementView(
            asset=kind,
            lines=[_line(line) for line in shown],
            next_before=shown[-1].seq if len(lines) > limit else None,
        )


def _only_one(request: Request[Any, Any, Any], **asked: str | None) -> tuple[str, str]:
    # Of a name that is given twice the framework takes one; which was meant, nobody knows.
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in asked:
            raise FieldNotAllowed(field=name)
    if len(given) != 1:
        field = given[1] if given else next(iter(asked))
        raise RequestInvalid(field=field, reason="name exactly one of the four")
    return given[0], asked[given[0]] or ""


async def _find(tx: Tx, name: str, value: str, client: APIClient) -> MemberId:
    if name == "phone":
        return await get_member_by_phone(tx, parse_phone(value), brand_id=client.brand_id)
    if name == "card":
        card_no = fold_card_no(value)
        if card_no is None:
            raise RequestInvalid(field="card", reason="that is no number of a card")
        return await get_member_by_card(tx, card_no, brand_id=client.brand_id)
    if not value.isascii() or not value.isprintable() or not 1 <= len(value) <= OPENID_CHARS_MAX:
        raise RequestInvalid(field="openid", reason="that is no openid")
    return await get_member_by_openid(tx, value, brand_id=client.brand_id)


def _line(line: StatementLine) -> LineView:
    return LineView(
        seq=line.seq,
        transfer_id=line.transfer_id,
        kind=line.kind,
        amount=line.amount,
        principal_fen=line.principal_fen,
        bonus_fen=line.bonus_fen,
        balance_after=line.balance_after,
        store_id=line.store_id,
        tender=line.tender,
        reason=line.reason,
        at=line.at,
    )


route_handlers = [MemberAPI]

"""The JSON API of members: look one up, top up, debit."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.crm.statuses import Tender
from o2o.infra.database import Tx
from o2o.membership.queries import MemberView, get_member_view
from o2o.membership.till import ByKey, Till, Transferred
from o2o.web.errors import RequestInvalid
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.principals import APIClient
from o2o.web.strict_json import refuse_lenient_json

UNATTENDED = "debits:unattended"
REASON_CHARS_MAX = 200


class TopUpMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money came in at a store. Amounts in fen; `request_id` names the intention (UUIDv7)."""

    request_id: UUID
    principal_fen: int
    store_id: UUID
    tender: Tender
    bonus_fen: int = 0


class DebitMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something was sold in a store. A debit names its visit or the member's code, unless the
    key has the scope `debits:unattended`.
    """

    request_id: UUID
    amount_fen: int
    store_id: UUID
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)] | None = None
    visit_id: UUID | None = None
    member_code: str | None = None


class TransferView(msgspec.Struct, frozen=True):
    """What happened to the card: the transfer and what the card held right after, in fen."""

    transfer_id: UUID
    balance_fen: int


class MemberAPI(Controller):
    """`/api/v1/members/{id}`.

    Who asks is taken from the request: the framework resolves two dependencies in a task group,
    which cost a fifth of a debit.
    """

    path = "/members/{member_id:uuid}"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["members"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @get(opt={"scope": "members:read"}, summary="Look a member up")
    async def get_member(
        self,
        member_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        request: Request[Any, Any, Any],
    ) -> MemberView:
        """Return a member of the key's brand. Raises MemberNotFound."""
        return await get_member_view(tx, member_id, brand_id=provide_api_client(request).brand_id)

    @post("/top-ups", opt={"scope": "top_ups:write"}, summary="Top stored value up")
    async def top_up(
        self,
        member_id: FromPath[UUID],
        data: JSONBody[TopUpMember],
        till: NamedDependency[Till],
        request: Request[Any, Any, Any],
    ) -> Response[TransferView]:
        """Answer 201, or 200 with the same body when sent again."""
        return _answer(
            await till.top_up(
                request_id=_named(data.request_id),
                member_id=member_id,
                principal_fen=data.principal_fen,
                bonus_fen=data.bonus_fen,
                tender=data.tender,
                by=_by_key(provide_api_client(request), data.store_id),
            )
        )

    @post("/debits", opt={"scope": "debits:write"}, summary="Debit stored value")
    async def debit(
        self,
        member_id: FromPath[UUID],
        data: JSONBody[DebitMember],
        till: NamedDependency[Till],
        request: Request[Any, Any, Any],
    ) -> Response[TransferView]:
        """Answer 201, or 200 with the same body when sent again."""
        return _answer(
            await till.charge(
                request_id=_named(data.request_id),
                member_id=member_id,
                amount_fen=data.amount_fen,
                by=_by_key(provide_api_client(request), data.store_id),
                reason=data.reason,
                visit_id=data.visit_id,
                member_code=data.member_code,
            )
        )


def _named(request_id: UUID) -> UUID:
    # Nil is what a client sends that forgot to make one: all its intentions would be the same.
    if request_id.int == 0:
        raise RequestInvalid(field="request_id", reason="the nil UUID names no intention")
    return request_id


def _by_key(client: APIClient, store_id: UUID) -> ByKey:
    return ByKey(
        key_id=client.key_id,
        brand_id=client.brand_id,
        store_id=store_id,
        can_debit_unattended=UNATTENDED in client.scopes,
        unattended_debit_fen_max=client.unattended_debit_fen_max,
    )


def _answer(done: Transferred) -> Response[TransferView]:
    view = TransferView(done.transfer_id, done.balance_fen)
    return Response(view, status_code=200 if done.is_replay else 201)


route_handlers = [MemberAPI]

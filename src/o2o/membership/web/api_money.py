"""The JSON API of stored value: top-ups, debits, and taking either back."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.crm.statuses import Tender
from o2o.membership.desk import Desk
from o2o.membership.till import Till, Transferred
from o2o.membership.web.api_parts import (
    REASON_CHARS_MAX,
    Reason,
    TransferView,
    by_key,
    named,
    readable,
    write_responses,
)
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.strict_json import refuse_lenient_json


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


class ReverseTransfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a transfer back: all that is left of it, or `amount_fen`. Of a top-up the amount is
    that of its principal; the bonus goes back in proportion.
    """

    request_id: UUID
    reason: Reason
    amount_fen: int | None = None


class ReversalView(msgspec.Struct, frozen=True):
    """What was taken back, bonus included, and what the card held right after, in fen."""

    transfer_id: UUID
    amount_fen: int
    balance_fen: int


class MemberMoneyAPI(Controller):
    """`/api/v1/members/{id}/top-ups` and `/debits`.

    Who asks is taken from the request: the framework resolves two dependencies in a task group,
    which cost a fifth of a debit.
    """

    path = "/members/{member_id:uuid}"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["stored value"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @post(
        "/top-ups",
        opt={"scope": "top_ups:write"},
        summary="Top stored value up",
        responses=write_responses(TransferView),
    )
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
                request_id=named(data.request_id),
                member_id=member_id,
                principal_fen=data.principal_fen,
                bonus_fen=data.bonus_fen,
                tender=data.tender,
                by=by_key(provide_api_client(request), data.store_id),
            )
        )

    @post(
        "/debits",
        opt={"scope": "debits:write"},
        summary="Debit stored value",
        responses=write_responses(TransferView),
    )
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
                request_id=named(data.request_id),
                member_id=member_id,
                amount_fen=data.amount_fen,
                by=by_key(provide_api_client(request), data.store_id),
                reason=data.reason,
                visit_id=data.visit_id,
                member_code=data.member_code,
            )
        )


class ReversalAPI(Controller):
    """`/api/v1/debits/{id}/reversal` and `/api/v1/top-ups/{id}/reversal`."""

    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["stored value"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @post(
        "/debits/{transfer_id:uuid}/reversal",
        opt={"scope": "debits:reverse"},
        summary="Give a debit back to the card, in whole or in part",
        responses=write_responses(ReversalView),
    )
    async def reverse_debit(
        self,
        transfer_id: FromPath[UUID],
        data: JSONBody[ReverseTransfer],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
    ) -> Response[ReversalView]:
        """Answer 201, or 200 with the same body when sent again. It goes back to the very lots
        it came from; a posted hold is a debit too.
        """
        client = provide_api_client(request)
        done = await desk.reverse(
            "debit",
            request_id=named(data.request_id),
            transfer_id=transfer_id,
            amount_fen=data.amount_fen,
            reason=readable(data.reason),
            key_id=client.key_id,
            brand_id=client.brand_id,
        )
        return _reversed(done)

    @post(
        "/top-ups/{transfer_id:uuid}/reversal",
        opt={"scope": "top_ups:reverse"},
        summary="Take a top-up back out of the card, in whole or in part",
        responses=write_responses(ReversalView),
    )
    async def reverse_top_up(
        self,
        transfer_id: FromPath[UUID],
        data: JSONBody[ReverseTransfer],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
    ) -> Response[ReversalView]:
        """Answer 201, or 200 with the same body when sent again. What was spent of the top-up
        stands in the way (`ledger.already_spent`).
        """
        client = provide_api_client(request)
        done = await desk.reverse(
            "top_up",
            request_id=named(data.request_id),
            transfer_id=transfer_id,
            amount_fen=data.amount_fen,
            reason=readable(data.reason),
            key_id=client.key_id,
            brand_id=client.brand_id,
        )
        return _reversed(done)


def _answer(done: Transferred) -> Response[TransferView]:
    view = TransferView(done.transfer_id, done.balance_fen)
    return Response(view, status_code=200 if done.is_replay else 201)


def _reversed(done: Transferred) -> Response[ReversalView]:
    view = ReversalView(done.transfer_id, done.amount_fen, done.balance_fen)
    return Response(view, status_code=200 if done.is_replay else 201)


route_handlers = [MemberMoneyAPI, ReversalAPI]

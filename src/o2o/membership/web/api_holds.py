"""The JSON API of holds: set an amount aside, sell for it, or give it back."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from o2o.ledger.actions.hold_stored_value import HOLD_DAYS_MAX
from o2o.membership.desk import Desk, Held, Transferred
from o2o.membership.web.api_parts import (
    REASON_CHARS_MAX,
    TransferView,
    by_key,
    named,
    readable,
    write_responses,
)
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.strict_json import refuse_lenient_json

SECONDS_MAX = HOLD_DAYS_MAX * 86_400
SECONDS = 3_600


class HoldStoredValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set an amount aside for a store, an hour unless said otherwise. Like a debit, a hold names
    its visit or the member's code, unless the key has the scope `debits:unattended`.
    """

    request_id: UUID
    amount_fen: int
    store_id: UUID
    expires_in_seconds: Annotated[int, msgspec.Meta(ge=1, le=SECONDS_MAX)] = SECONDS
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)] | None = None
    visit_id: UUID | None = None
    member_code: str | None = None


class PostHold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sell for the whole hold, or for `amount_fen` of it; the rest goes back onto the card."""

    request_id: UUID
    amount_fen: int | None = None


class VoidHold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give the whole hold back onto the card."""

    request_id: UUID


class HoldView(msgspec.Struct, frozen=True):
    """What was set aside until when, and what the card holds beside it, in fen."""

    hold_id: UUID
    balance_fen: int
    expires_at: datetime


class HoldAPI(Controller):
    """`/api/v1/members/{id}/holds` and `/api/v1/holds/{id}`."""

    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["holds"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @post(
        "/members/{member_id:uuid}/holds",
        opt={"scope": "holds:write"},
        summary="Set an amount aside",
        responses=write_responses(HoldView),
    )
    async def hold(
        self,
        member_id: FromPath[UUID],
        data: JSONBody[HoldStoredValue],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
    ) -> Response[HoldView]:
        """Answer 201, or 200 with the same body when sent again."""
        held = await desk.hold(
            request_id=named(data.request_id),
            member_id=member_id,
            amount_fen=data.amount_fen,
            lasting=timedelta(seconds=data.expires_in_seconds),
            by=by_key(provide_api_client(request), data.store_id),
            reason=readable(data.reason) if data.reason else None,
            visit_id=data.visit_id,
            member_code=data.member_code,
        )
        return _held(held)

    @post(
        "/holds/{hold_id:uuid}/post",
        opt={"scope": "holds:write"},
        summary="Sell for what was set aside",
        responses=write_responses(TransferView),
    )
    async def post_hold(
        self,
        hold_id: FromPath[UUID],
        data: JSONBody[PostHold],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
    ) -> Response[TransferView]:
        """Answer 201, or 200 with the same body when sent again. `transfer_id` is the sale, which
        `/debits/{id}/reversal` takes back.
        """
        client = provide_api_client(request)
        done = await desk.post_hold(
            request_id=named(data.request_id),
            hold_id=hold_id,
            amount_fen=data.amount_fen,
            key_id=client.key_id,
            brand_id=client.brand_id,
        )
        return _ended(done)

    @post(
        "/holds/{hold_id:uuid}/void",
        opt={"scope": "holds:write"},
        summary="Give back what was set aside",
        responses=write_responses(TransferView),
    )
    async def void_hold(
        self,
        hold_id: FromPath[UUID],
        data: JSONBody[VoidHold],
        desk: NamedDependency[Desk],
        request: Request[Any, Any, Any],
    ) -> Response[TransferView]:
        """Answer 201, or 200 with the same body when sent again."""
        client = provide_api_client(request)
        done = await desk.void_hold(
            request_id=named(data.request_id),
            hold_id=hold_id,
            key_id=client.key_id,
            brand_id=client.brand_id,
        )
        return _ended(done)


def _held(held: Held) -> Response[HoldView]:
    view = HoldView(held.hold_id, held.balance_fen, held.expires_at)
    return Response(view, status_code=200 if held.is_replay else 201)


def _ended(done: Transferred) -> Response[TransferView]:
    view = TransferView(done.transfer_id, done.balance_fen)
    return Response(view, status_code=200 if done.is_replay else 201)


route_handlers = [HoldAPI]

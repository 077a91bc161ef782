"""What all routes of the JSON API share: who asks, names of intentions, answers, refusals."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from o2o.kernel.text import without_controls
from o2o.membership.scanners import ByKey
from o2o.web.errors import RequestInvalid
from o2o.web.principals import APIClient

UNATTENDED = "debits:unattended"
REASON_CHARS_MAX = 200
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]


class ErrorView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every refusal: a stable code, words for people, the field at fault and details, if any."""

    code: str
    message: str
    trace_id: str
    field: str | None = None
    detail: dict[str, Any] | None = None


class TransferView(msgspec.Struct, frozen=True):
    """What happened to the card: the transfer and what the card held right after, in fen."""

    transfer_id: UUID
    balance_fen: int


READ_RESPONSES = {
    401: ResponseSpec(ErrorView, description="The key is unknown or revoked"),
    403: ResponseSpec(ErrorView, description="The key lacks the scope"),
    404: ResponseSpec(ErrorView, description="Not there, or another brand's"),
    422: ResponseSpec(ErrorView, description="The request cannot mean anything"),
}


def write_responses(view: type) -> dict[int, ResponseSpec]:
    """Describe what a write answers beside 201: the same again, and the refusals."""
    return {
        200: ResponseSpec(view, description="Sent again: the answer of the first time"),
        **READ_RESPONSES,
        409: ResponseSpec(
            ErrorView,
            description="`request.body_differs`: the same `request_id` with another body;"
            " or not possible as things stand now",
        ),
    }


def named(request_id: UUID) -> UUID:
    """Return the name of an intention. Raises RequestInvalid for the nil UUID."""
    # Nil is what a client sends that forgot to make one: all its intentions would be the same.
    if request_id.int == 0:
        raise RequestInvalid(field="request_id", reason="the nil UUID names no intention")
    return request_id


def readable(reason: str) -> str:
    """Return a reason as it is kept. Raises RequestInvalid when nothing readable is left."""
    kept = without_controls(reason.encode("utf-8", "ignore").decode())
    if not kept:
        raise RequestInvalid(field="reason", reason="there is nothing to read in it")
    return kept


def by_key(client: APIClient, store_id: UUID) -> ByKey:
    """Return who acts: the key, for the store that the request names."""
    return ByKey(
        key_id=client.key_id,
        brand_id=client.brand_id,
        store_id=store_id,
        can_debit_unattended=UNATTENDED in client.scopes,
        unattended_debit_fen_max=client.unattended_debit_fen_max,
    )

"""What all routes of the JSON API share: names of intentions, and how answers are described."""

from typing import Any
from uuid import UUID

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from o2o.web.errors import RequestInvalid


class ErrorView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every refusal: a stable code, words for people, the field at fault and details, if any."""

    code: str
    message: str
    trace_id: str
    field: str | None = None
    detail: dict[str, Any] | None = None


def refusal(description: str) -> ResponseSpec:
    """Describe a refusal. Examples made up by chance are no help, and cannot be written as JSON."""
    return ResponseSpec(ErrorView, description=description, generate_examples=False)


READ_RESPONSES = {
    401: refusal("The key is unknown or revoked"),
    403: refusal("The key lacks the scope"),
    404: refusal("Not there, or another brand's"),
    422: refusal("The request cannot mean anything"),
}


def write_responses(view: type) -> dict[int, ResponseSpec]:
    """Describe what a write answers beside 201: the same again, and the refusals."""
    return {
        200: ResponseSpec(
            view,
            description="Sent again: the answer of the first time",
            generate_examples=False,
        ),
        **READ_RESPONSES,
        409: refusal(
            "`request.body_differs`: the same `request_id` with another body;"
            " or not possible as things stand now"
        ),
    }


def named(request_id: UUID) -> UUID:
    """Return the name of an intention. Raises RequestInvalid for the nil UUID."""
    # Nil is what a client sends that forgot to make one: all its intentions would be the same.
    if request_id.int == 0:
        raise RequestInvalid(field="request_id", reason="the nil UUID names no intention")
    return request_id

"""JSON bodies read to the letter: what only a lenient reader would take is refused."""

import json
from typing import Any

import msgspec
from litestar import Request

from o2o.kernel.errors import Fact
from o2o.web.errors import FieldNotAllowed, JSONBroken, MediaTypeUnsupported, RequestInvalid

JSON = "application/json"
# Named where it is no field in particular that does not fit.
WHOLE = "body"


async def refuse_lenient_json(request: Request[Any, Any, Any]) -> None:
    """Refuse a body that is not JSON, says something twice, or fits its type only by conversion.

    What names no type is taken for JSON, because nothing else is read here.

    The framework converts leniently, because it reads forms and queries by the same way, and of
    two equal names it takes the last one. For `before_request`. Raises
    MediaTypeUnsupported, JSONBroken, FieldNotAllowed, RequestInvalid.
    """
    field = request.route_handler.parsed_data_field
    if field is None:
        return
    kind = request.headers.get("content-type")
    # Nearly everybody says just this; the rest is taken apart.
    if kind and kind != JSON and request.content_type[0] != JSON:
        raise MediaTypeUnsupported(wanted=JSON)
    check_json(await request.body(), field.annotation)


def check_json(body: bytes, kind: Any) -> None:
    """Check a body against the type it must have; raises as refuse_lenient_json."""
    try:
        # The numbers are read below; here they stay text, however long they are.
        json.loads(
            body,
            object_pairs_hook=_said_once,
            parse_int=str,
            parse_float=str,
        )
        msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as misfit:
        raise fact_of_shape(str(misfit)) from None
    except (ValueError, RecursionError) as broken:  # All readers' errors are ValueErrors.
        raise JSONBroken from broken


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return said


def fact_of_shape(reason: str, *, field: str | None = None) -> Fact:
    """Name what msgspec found wrong; `field` is what else is known of the place."""
    if reason.startswith("Object contains unknown field `"):
        return FieldNotAllowed(field=reason.split("`")[1])
    if reason.startswith("Object missing required field `"):
        return RequestInvalid(field=reason.split("`")[1], reason=reason)
    _, is_at, place = reason.rpartition("`$.")
    return RequestInvalid(field=place.rstrip("`") if is_at else field or WHOLE, reason=reason)

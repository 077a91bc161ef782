"""JSON bodies read to the letter: what only a lenient reader would take is refused."""

from typing import Any

import msgspec
from litestar import Request

from o2o.web.errors import RequestInvalid


async def refuse_lenient_json(request: Request[Any, Any, Any]) -> None:
    """Refuse a body that fits its type only after conversion, such as `"100"` for an amount.

    The framework converts leniently, because it reads forms and queries by the same way. Bodies
    that do not fit at all are left for it to refuse. For `before_request`. Raises RequestInvalid.
    """
    field = request.route_handler.parsed_data_field
    body = await request.body()
    if field is None or not body:
        return
    try:
        msgspec.json.decode(body, type=field.annotation)
    except msgspec.ValidationError as strictly:
        try:
            msgspec.convert(msgspec.json.decode(body), type=field.annotation, strict=False)
        except msgspec.DecodeError:
            return
        reason = str(strictly)
        name = reason.rpartition("`$.")[2].rstrip("`") if "`$." in reason else None
        raise RequestInvalid(field=name, reason=reason) from None
    except msgspec.DecodeError:
        return

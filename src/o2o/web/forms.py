"""Answering a posted form: on to the next page, or the same page with what stands in the way."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from o2o.kernel.errors import Fact
from o2o.web.answers import error_words, is_for_program

AnyRequest = Request[Any, Any, Any]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the way, in the reader's words, to be shown in the page."""

    code: str
    title: str
    action: str
    field: str | None
    retry_after_seconds: int | None
    detail: dict[str, Any]


def fault_of(request: AnyRequest, fact: Fact) -> Fault:
    """Put an error into words for a page."""
    title, action = error_words(request, fact)
    return Fault(
        code=fact.code,
        title=title,
        action=action,
        field=fact.field,
        retry_after_seconds=fact.detail.get("retry_after_seconds"),
        detail=fact.detail,
    )


def go_on(
    request: AnyRequest, page: str, *, cookies: Sequence[Cookie] = (), **told: Any
) -> Response[Any]:
    """Send whoever posted on to `page`: a browser by 303, a script by `{"next": page, …told}`."""
    headers = {"Cache-Control": "no-store"}
    if is_for_program(request):
        return Response(
            {"next": page, **told},
            status_code=200,
            media_type=MediaType.JSON,
            headers=headers,
            cookies=list(cookies),
        )
    return Redirect(page, status_code=303, headers=headers, cookies=list(cookies))

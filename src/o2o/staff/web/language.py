"""Choosing the language of the pages for staff, before anybody signed in."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from o2o.infra.settings import Settings
from o2o.web.forms import go_on
from o2o.web.language import COOKIE

YEAR_SECONDS = 31_536_000


class ChooseLanguage(msgspec.Struct, forbid_unknown_fields=True):
    """The language to read from now on."""

    language: Literal["zh_CN", "en"]
    csrf: str = ""


def language_chosen(
    request: Request[Any, Any, Any], data: ChooseLanguage, *, page: str, settings: Settings
) -> Response[Any]:
    """Keep the choice in a cookie and go back to the page."""
    cookie = Cookie(
        key=COOKIE,
        value=data.language,
        path="/",
        max_age=YEAR_SECONDS,
        samesite="lax",
        secure=settings.is_https,
        httponly=True,
    )
    return go_on(request, page, cookies=[cookie])

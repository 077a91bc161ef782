"""Showing a page: the template with its view and what every page needs."""

from typing import Any

from litestar import Request, Response

from o2o.web.csrf import csrf_token
from o2o.web.language import language_of
from o2o.web.platform import platform_of

LARGE_TYPE_COOKIE = "o2o_large"


def show(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, **values: Any
) -> Response[str]:
    """Render `template` for this request.

    Adds to the context: language, words, now, path, demo, jssdk_url, csrf (the session's
    token, empty without one), large_type.
    """
    platform = platform_of(request)
    principal = getattr(request.state, "principal", None)
    owner = getattr(principal, "session_hash", None)
    context: dict[str, Any] = {
        "words": platform.words,
        "now": platform.clock.now(),
        "path": request.url.path,
        "demo": platform.settings.demo,
        "jssdk_url": platform.settings.wechat_jssdk_url,
        "csrf": csrf_token(platform.seal, owner) if owner else "",
        "large_type": request.cookies.get(LARGE_TYPE_COOKIE) == "1",
    }
    return platform.pages.answer(
        template, language=language_of(request), status=status, **(context | values)
    )

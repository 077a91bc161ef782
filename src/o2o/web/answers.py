"""Errors as answers: JSON for programs, a page for people, a fragment for htmx."""

from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from litestar.response import Redirect
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from o2o.infra.database import is_connection_lost, violated_constraint
from o2o.infra.logging import get_logger
from o2o.infra.trace import current_trace_id
from o2o.kernel.errors import Fact, TooMany, Unavailable
from o2o.web.copy import Words
from o2o.web.csrf import SAFE_METHODS
from o2o.web.errors import (
    BodyTooLarge,
    JSONBroken,
    MethodNotAllowed,
    PadLocked,
    PadNotEnrolled,
    RequestInvalid,
    RouteNotFound,
    ServerBusy,
    SessionInvalid,
    WriteConflict,
)
from o2o.web.guards import OAuthNeeded
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.strict_json import fact_of_shape

log = get_logger(__name__)

AnyRequest = Request[Any, Any, Any]
_SIGN_IN_PAGES: dict[type[Fact], str] = {PadLocked: "/pad", PadNotEnrolled: "/pad"}


def is_for_program(request: AnyRequest) -> bool:
    """Whether the answer is read by a program rather than shown as a page."""
    if request.url.path.startswith("/api/"):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def error_body(request: AnyRequest, fact: Fact) -> dict[str, Any]:
    """Return the JSON body of an error (DESIGN: code, message, field, detail, trace_id)."""
    return fact_as_json(fact, words=platform_of(request).words, language=language_of(request))


def fact_as_json(fact: Fact, *, words: Words, language: str) -> dict[str, Any]:
    """Return the JSON body of an error where no application serves the request."""
    title, action = _words_of(fact, words=words, language=language)
    body: dict[str, Any] = {
        "code": fact.code,
        "message": f"{title}{action}" if language == "zh_CN" else f"{title} {action}",
        "trace_id": current_trace_id(),
    }
    if fact.field:
        body["field"] = fact.field
    if fact.detail:
        body["detail"] = fact.detail
    return body


def error_words(request: AnyRequest, fact: Fact) -> tuple[str, str]:
    """Return what happened and what to do next, in the reader's language."""
    return _words_of(fact, words=platform_of(request).words, language=language_of(request))


def _words_of(fact: Fact, *, words: Words, language: str) -> tuple[str, str]:
    values = {**fact.detail, "field": fact.field or ""}
    title = words.find(f"errors.{fact.code}.title", language, **values)
    if title is None:
        title = words.text("errors.server.unexpected.title", language)
        action = words.text("errors.server.unexpected.action", language)
    else:
        action = words.find(f"errors.{fact.code}.action", language, **values) or ""
    return title, action


def answer_fact(request: AnyRequest, fact: Fact) -> Response[Any]:
    """Answer a named error."""
    headers = {"Cache-Control": "no-store"}
    retry_after = fact.detail.get("retry_after_seconds")
    if isinstance(fact, TooMany | Unavailable):
        headers["Retry-After"] = str(retry_after or 1)
    if is_for_program(request):
        return Response(
            error_body(request, fact),
            status_code=fact.status,
            media_type=MediaType.JSON,
            headers=headers,
        )
    is_fragment = "hx-request" in request.headers
    if (page := _SIGN_IN_PAGES.get(type(fact))) is not None:
        return _sent_to(page, is_fragment=is_fragment)
    if isinstance(fact, SessionInvalid) and request.url.path.startswith("/console"):
        return _sent_to("/console/sign-in", is_fragment=is_fragment)
    title, action = error_words(request, fact)
    platform = platform_of(request)
    answer = platform.pages.answer(
        "errors/fragment.html" if is_fragment else "errors/page.html",
        language=language_of(request),
        status=fact.status,
        title=title,
        action=action,
        code=fact.code,
        retry_url=fact.detail.get("retry_url"),
        trace_id=current_trace_id(),
    )
    answer.headers.update(headers)
    return answer


def _sent_to(page: str, *, is_fragment: bool) -> Response[Any]:
    if is_fragment:
        return Response("", status_code=401, headers={"HX-Redirect": page})
    return Redirect(page, status_code=303)


def answer_oauth_needed(_: AnyRequest, need: OAuthNeeded) -> Response[Any]:
    """Send a browser to be named by WeChat."""
    return Redirect(need.location, status_code=302, headers={"Cache-Control": "no-store"})


def fact_of_validation(error: ValidationException) -> Fact:
    """Name what Litestar and msgspec found wrong with a request."""
    extra = error.extra if isinstance(error.extra, list) else []
    first = extra[0] if extra and isinstance(extra[0], dict) else {}
    message = str(first.get("message", error.detail))
    field = str(first.get("key") or "") or None
    return fact_of_shape(message, field=field)


def fact_of_http(error: HTTPException) -> Fact:
    """Name an error of the framework."""
    if isinstance(error, ValidationException):
        return fact_of_validation(error)
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed()
    if error.status_code == 404:
        return RouteNotFound()
    if error.status_code == 413:
        return BodyTooLarge()
    if error.status_code == 400:
        return JSONBroken()
    return RequestInvalid(field="request", reason=error.detail)


def answer_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Answer an error of the framework; its server errors are ours to hide."""
    if error.status_code >= 500:
        return answer_unexpected(request, error)
    answer = answer_fact(request, fact_of_http(error))
    if isinstance(error, MethodNotAllowedException):
        # RFC 9110 §15.5.6: the answer says what the address takes.
        taken = (error.headers or {}).get("allow", "").split(", ")
        answer.headers["Allow"] = ", ".join(sorted({*taken, "OPTIONS"} - {""}))
    return answer


def answer_database(request: AnyRequest, error: DBAPIError) -> Response[Any]:
    """Answer what the database refused after all our own checks."""
    if is_connection_lost(error):
        return answer_fact(request, ServerBusy(retry_after_seconds=1))
    sqlstate = getattr(error.orig, "sqlstate", None)
    if isinstance(error, IntegrityError) or sqlstate in {"40001", "40P01", "55P03"}:
        log.warning("database.refused", constraint=violated_constraint(error), sqlstate=sqlstate)
        return answer_fact(request, WriteConflict())
    if sqlstate == "57014":
        return answer_fact(request, ServerBusy(retry_after_seconds=1))
    return answer_unexpected(request, error)


def answer_busy(request: AnyRequest, error: Exception) -> Response[Any]:
    """Answer when no database connection could be had in time."""
    log.warning("database.pool_exhausted", error=repr(error))
    return answer_fact(request, ServerBusy(retry_after_seconds=1))


def answer_too_deep(request: AnyRequest, error: RecursionError) -> Response[Any]:
    """Answer a body that is nested deeper than any reader goes; without a body it is our fault."""
    if request.method in SAFE_METHODS:
        return answer_unexpected(request, error)
    log.warning("request.too_deep", path=request.url.path, exc_info=error)
    return answer_fact(request, JSONBroken())


def answer_unexpected(request: AnyRequest, error: Exception) -> Response[Any]:
    """Answer what nobody foresaw: the words say nothing of the inside, the log says all."""
    log.error("request.failed", path=request.url.path, exc_info=error)
    return answer_fact(request, Fact())


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    Fact: answer_fact,
    OAuthNeeded: answer_oauth_needed,
    HTTPException: answer_http,
    DBAPIError: answer_database,
    PoolTimeout: answer_busy,
    RecursionError: answer_too_deep,
    Exception: answer_unexpected,
}

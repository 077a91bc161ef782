"""Who may use the control API, and how its refusals look."""

import hmac
import sys
import traceback
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from wechat_sandbox.accounts import Account, find_account
from wechat_sandbox.database import Transaction
from wechat_sandbox.people import Person, find_person
from wechat_sandbox.sandbox import Sandbox

TOKEN_HEADER = "x-sandbox-token"  # noqa: S105 - the name of a header
TOKEN_COOKIE = "sandbox_control"  # noqa: S105 - the name of a cookie
# Pages of accounts call these from their own address, so they carry no control token.
OPEN_PATHS = frozenset({"/_sandbox/jssdk/verify", "/_sandbox/jssdk/device"})

Connection = ASGIConnection[Any, Any, Any, Any]


class Refused(Exception):
    """A control call that cannot be done: HTTP status, stable code, a sentence for the caller."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message


def show_refusal(_request: Request[Any, Any, Any], error: Refused) -> Response[dict[str, str]]:
    return Response({"code": error.code, "message": error.message}, status_code=error.status)


def show_http_error(
    _request: Request[Any, Any, Any], error: HTTPException
) -> Response[dict[str, Any]]:
    """Litestar's own refusals (bad JSON, wrong types, no such path) in the same shape."""
    content: dict[str, Any] = {
        "code": f"http.{error.status_code}",
        "message": error.detail,
    }
    if error.extra:
        content["detail"] = error.extra
    return Response(content, status_code=error.status_code)


async def tell_unexpected(error: Exception, _scope: Scope) -> None:
    """What nobody foresaw is told on standard error; the caller sees a plain 500."""
    if not isinstance(error, HTTPException | Refused):
        traceback.print_exception(error, file=sys.stderr)


def is_token(shown: str, token: str) -> bool:
    return hmac.compare_digest(shown.encode(), token.encode())


def is_let_in(connection: Connection, token: str | None) -> bool:
    """Whether the connection shows the control token, where there is one."""
    if token is None:
        return True
    shown = connection.headers.get(TOKEN_HEADER) or connection.cookies.get(TOKEN_COOKIE) or ""
    return is_token(shown, token)


def guard_control(connection: Connection, _route: BaseRouteHandler) -> None:
    """The token where one is set; and no page of another site may steer the sandbox."""
    if connection.url.path in OPEN_PATHS:
        return
    sandbox: Sandbox = connection.app.state.sandbox
    if not is_let_in(connection, sandbox.settings.control_token):
        raise NotAuthorizedException(detail="the control token is missing or wrong")
    origin = connection.headers.get("origin")
    if origin is None or connection.scope.get("method") in {"GET", "HEAD", "OPTIONS"}:
        return
    own = {connection.headers.get("host"), urlsplit(sandbox.settings.public_url).netloc}
    if urlsplit(origin).netloc not in own:
        raise PermissionDeniedException(detail="the control API takes no calls from other sites")


def get_account(tx: Transaction, slug: object) -> Account:
    """Raises Refused 404."""
    account = find_account(tx, slug) if isinstance(slug, str) else None
    if account is None:
        raise Refused(404, "account.not_found", f"there is no account {slug!r}")
    return account


def get_person(tx: Transaction, person_id: str) -> Person:
    """Raises Refused 404."""
    person = find_person(tx, person_id)
    if person is None:
        raise Refused(404, "person.not_found", f"there is no person {person_id!r}")
    return person

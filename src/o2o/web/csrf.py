"""CSRF: every changing request of a cookie session carries the token of its page."""

import hmac
from typing import Any

from litestar.connection import ASGIConnection

from o2o.infra.seal import Seal
from o2o.web.errors import CSRFTokenMissing

HEADER = "x-csrf-token"
FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_token(seal: Seal, owner: bytes) -> str:
    """Return the token of a session (by its hash) or of a pre-session cookie."""
    return seal.hash_of(owner.hex(), use="csrf").hex()


async def check_csrf(
    connection: ASGIConnection[Any, Any, Any, Any], *, seal: Seal, owner: bytes
) -> None:
    """Raise CSRFTokenMissing unless a changing request names its page's token.

    A script sends the header; a plain form sends the field.
    """
    if connection.scope.get("method", "GET") in SAFE_METHODS:
        return
    wanted = csrf_token(seal, owner)
    given = connection.headers.get(HEADER, "")
    if not given:
        form_kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
        if connection.headers.get("content-type", "").startswith(form_kinds):
            form = await connection.form()  # type: ignore[attr-defined]  # a Request at run time
            given = str(form.get(FIELD, ""))
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise CSRFTokenMissing

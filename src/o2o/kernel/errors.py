"""Errors as named facts: a stable code, an HTTP status and the details; words live in copy."""

from typing import Any, ClassVar


class Fact(Exception):
    """Something that stands in the way, named. Subclasses give `code` as `noun.fact`."""

    code: ClassVar[str] = "server.unexpected"
    status: ClassVar[int] = 500

    def __init__(self, *, field: str | None = None, **detail: Any) -> None:
        """Keep the request field at fault, if any, and the details the words may use."""
        super().__init__(self.code, detail)
        self.field = field
        self.detail = detail


class Invalid(Fact):
    """422: the request cannot mean anything."""

    status = 422


class BadRequest(Fact):
    """400: the request is not well formed."""

    status = 400


class Unauthenticated(Fact):
    """401: nobody we know is asking."""

    status = 401


class Forbidden(Fact):
    """403: we know who asks, and it is not for them."""

    status = 403


class NotFound(Fact):
    """404: there is no such thing, or not for the one who asks."""

    status = 404


class Conflict(Fact):
    """409: it was possible once, or with another body, but not now."""

    status = 409


class Gone(Fact):
    """410: it was there and its time is over."""

    status = 410


class TooLarge(Fact):
    """413: more bytes than we read."""

    status = 413


class TooMany(Fact):
    """429: too often; `retry_after_seconds` in the details says when to come back."""

    status = 429


class Unavailable(Fact):
    """503: something we need is away for the moment."""

    status = 503

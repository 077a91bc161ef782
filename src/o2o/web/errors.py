"""What can go wrong in any request, before a domain is asked."""

from o2o.kernel.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)


class SessionInvalid(Unauthenticated):
    """There is no session, or it ended, or it is for another audience."""

    code = "session.invalid"


class PadLocked(Unauthenticated):
    """The pad is enrolled but nobody is signed in, or the screen locked itself."""

    code = "pad.locked"


class PadNotEnrolled(Unauthenticated):
    """This browser is not a pad of any store."""

    code = "pad.not_enrolled"


class APIKeyInvalid(Unauthenticated):
    """The key is unknown or revoked."""

    code = "api_key.invalid"


class ScopeMissing(Forbidden):
    """The key may not do this."""

    code = "api_key.scope_missing"


class RoleMissing(Forbidden):
    """The staff member's roles do not cover this, or not in this store."""

    code = "staff.role_missing"


class AccountMismatch(Forbidden):
    """The session belongs to another official account."""

    code = "session.other_account"


class CSRFTokenMissing(Forbidden):
    """A form came without the token of its page, or with an old one."""

    code = "csrf.token_missing"


class RedirectNotAllowed(BadRequest):
    """The address to return to is not a page of ours."""

    code = "redirect.not_allowed"


class RequestInvalid(Invalid):
    """The request does not have the shape it must have."""

    code = "request.invalid"


class FieldNotAllowed(Invalid):
    """The request has a field that this request does not have."""

    code = "field.not_allowed"


class JSONBroken(BadRequest):
    """The body is not JSON."""

    code = "request.json_broken"


class MediaTypeUnsupported(BadRequest):
    """The body says of itself that it is something else than JSON."""

    code = "request.media_type_unsupported"
    status = 415


class RouteNotFound(NotFound):
    """There is nothing at this address."""

    code = "route.not_found"


class MethodNotAllowed(BadRequest):
    """The address exists, but not for this method."""

    code = "route.method_not_allowed"
    status = 405


class BodyTooLarge(TooLarge):
    """More bytes than this address reads."""

    code = "request.too_large"


class TooManyRequests(TooMany):
    """Too many requests from one place."""

    code = "request.too_many"


class WriteConflict(Conflict):
    """Two writes met and this one was refused by the database; sending it again is safe."""

    code = "request.write_conflict"


class ServerBusy(Unavailable):
    """The server cannot take this now."""

    code = "server.busy"

"""What can stand in the way of signing in, enrolling and managing staff."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany, Unauthenticated


class SignInRefused(Unauthenticated):
    """Login and secret do not belong together; which of them is wrong is not told."""

    code: ClassVar[str] = "staff.sign_in_refused"


class SignInLocked(TooMany):
    """Too many wrong tries for this login, whether it exists or not."""

    code: ClassVar[str] = "staff.sign_in_locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back."""
        super().__init__(retry_after_seconds=retry_after_seconds)


class PINLocked(Forbidden):
    """Five wrong PINs: a manager has to unlock this person."""

    code: ClassVar[str] = "staff.pin_locked"


class WrongStore(Forbidden):
    """The person has no role in the store of this pad."""

    code: ClassVar[str] = "staff.wrong_store"


class NoRole(Forbidden):
    """The person has no role anywhere, so there is nothing for them at the console."""

    code: ClassVar[str] = "staff.no_role"


class StaffNotFound(NotFound):
    """There is no such staff member, or not in a store of whoever asks."""

    code: ClassVar[str] = "staff.not_found"


class LoginTaken(Conflict):
    """Another staff member has this login."""

    code: ClassVar[str] = "staff.login_taken"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="login")


class SecretTooWeak(Invalid):
    """A PIN is not six digits or more, or trivial; a password is shorter than twelve characters."""

    code: ClassVar[str] = "staff.secret_too_weak"

    def __init__(self, *, field: str) -> None:
        """Name the field."""
        super().__init__(field=field)


class PadEnrolmentInvalid(Gone):
    """The one-time code is unknown, used or too old; which of these is not told."""

    code: ClassVar[str] = "pad.enrolment_invalid"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="code")


class PadEnrolmentLocked(TooMany):
    """Too many wrong one-time codes came from there."""

    code: ClassVar[str] = "pad.enrolment_locked"

    def __init__(self, *, retry_after_seconds: int) -> None:
        """Keep when to come back."""
        super().__init__(retry_after_seconds=retry_after_seconds)


class PadNotFound(NotFound):
    """There is no such pad, or not in a store of whoever asks."""

    code: ClassVar[str] = "pad.not_found"


class APIKeyNotFound(NotFound):
    """There is no such key, or not for whoever asks."""

    code: ClassVar[str] = "api_key.not_found"


class ScopeUnknown(Invalid):
    """A key was to get a scope that does not exist."""

    code: ClassVar[str] = "api_key.scope_unknown"

    def __init__(self, *, scope: str) -> None:
        """Keep which scope."""
        super().__init__(field="scopes", scope=scope)

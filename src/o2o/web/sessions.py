"""Sessions of browsers: a random reference in the cookie, its hash in the database."""

from o2o.web.actions.keep_sessions import (
    TOUCH_EVERY,
    end_session,
    end_staff_sessions,
    open_session,
    touch_sessions,
)

__all__ = [
    "TOUCH_EVERY",
    "end_session",
    "end_staff_sessions",
    "open_session",
    "touch_sessions",
]

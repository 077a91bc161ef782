"""Sessions of browsers: a random reference in the cookie, its hash in the database."""

from o2o.web.actions.keep_sessions import (
    end_session,
    end_staff_sessions,
    open_session,
    touch_session,
)
from o2o.web.queries.sessions import FoundSession, find_session

__all__ = [
    "FoundSession",
    "end_session",
    "end_staff_sessions",
    "find_session",
    "open_session",
    "touch_session",
]

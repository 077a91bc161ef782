"""The trace id: names one exchange in logs, error bodies, outbox messages and audit."""

import secrets
from contextvars import ContextVar

trace_id_var: ContextVar[str | None] = ContextVar("trace_id", default=None)


def new_trace_id() -> str:
    """Make 16 hex digits: short enough to be read out over the phone."""
    return secrets.token_hex(8)


def current_trace_id() -> str | None:
    """Return the trace id of what is being done now."""
    return trace_id_var.get()

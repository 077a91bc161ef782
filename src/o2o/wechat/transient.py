"""Which failures pass by themselves: asking again is worth it, blaming the message is wrong."""

from sqlalchemy.exc import TimeoutError as PoolTimeout

from o2o.infra.coalescer import QueueFull
from o2o.infra.database import DatabaseAway

# SQLSTATE classes: connection lost, transaction to be repeated (deadlock), out of resources,
# object in use (lock timeout), operator intervention (shutdown, cancelled), system error.
_PASSING_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})


def may_pass(error: BaseException) -> bool:
    """Whether the same command may succeed a moment later."""
    if isinstance(error, DatabaseAway | PoolTimeout | QueueFull | TimeoutError | OSError):
        return True
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return sqlstate[:2] in _PASSING_CLASSES

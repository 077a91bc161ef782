"""Numbers that bound proving a phone: how long, how many tries, how many messages."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=5)
TRIES_MAX = 5
# From the right digits to what is done with them: reading what becomes of two cards takes a while.
PROOF_LASTS = timedelta(minutes=10)
# The limits below look back this far, and rows are kept for longer.
KEPT = timedelta(days=2)

# So many messages within such a window, for one phone and for one person.
PERSON_LIMITS = (
    (1, timedelta(minutes=1)),
    (5, timedelta(hours=1)),
    (10, timedelta(days=1)),
)
# Mobile carriers put thousands of people behind one address.
ADDRESS_LIMITS = ((30, timedelta(hours=1)), (100, timedelta(days=1)))


def new_phone_code() -> str:
    """Draw six digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def seconds_to_wait(
    sent_at: Sequence[datetime], *, limits: Sequence[tuple[int, timedelta]], now: datetime
) -> int:
    """Return how many seconds until one more message may go; 0 is now. `sent_at` in any order."""
    newest = sorted(sent_at, reverse=True)
    waits = [
        newest[count - 1] + window - now
        for count, window in limits
        if len(newest) >= count and newest[count - 1] + window > now
    ]
    return ceil(max(waits).total_seconds()) if waits else 0

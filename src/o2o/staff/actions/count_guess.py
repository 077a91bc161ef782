"""Count a wrong guess at a secret; beyond the limit the guesser waits, whoever he is.

The count must outlive the refusal: whoever calls this commits, and refuses after the commit.
"""

import hashlib
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.staff.rules import GuessLimit

# One statement, so that any number of guesses at once are each counted. While locked nothing
# changes: waiting is not made longer by knocking.
_COUNT = text(
    "INSERT INTO guess_counts AS g (key_hash, guessed_at, last_at)"
    " VALUES (:key, ARRAY[CAST(:now AS timestamptz)], :now)"
    " ON CONFLICT (key_hash) DO UPDATE SET last_at = :now,"
    " guessed_at = CASE WHEN g.locked_until > :now THEN g.guessed_at ELSE ARRAY("
    "  SELECT at FROM unnest(g.guessed_at) AS at WHERE at > CAST(:since AS timestamptz))"
    "  || CAST(:now AS timestamptz) END"
    " RETURNING cardinality(guessed_at) AS guesses, locked_until"
)
_LOCK = text(
    "UPDATE guess_counts SET guessed_at = '{}', locked_until = :until WHERE key_hash = :key"
)
_FORGET = text("DELETE FROM guess_counts WHERE key_hash = :key")
_SWEEP = text("DELETE FROM guess_counts WHERE last_at < :before")
KEPT = timedelta(days=1)

__all__ = [
    "GuessLimit",
    "count_guess",
    "forget_guesses",
    "guess_key",
    "seconds_until",
    "sweep_guesses",
]


def guess_key(limit: GuessLimit, guesser: object) -> bytes:
    """Name a guesser under a limit; what people typed is kept as a hash only."""
    return hashlib.sha256(f"{limit.use}:{guesser}".encode()).digest()


async def count_guess(tx: Tx, key: bytes, *, limit: GuessLimit, now: datetime) -> int | None:
    """Count one guess; return the seconds to wait when it is one too many, else None."""
    since = now - limit.window
    row = (await tx.execute(_COUNT, {"key": key, "now": now, "since": since})).one()
    if row.locked_until is not None and row.locked_until > now:
        return seconds_until(row.locked_until, now)
    if row.guesses <= limit.free:
        return None
    await tx.execute(_LOCK, {"key": key, "until": now + limit.lock})
    return ceil(limit.lock.total_seconds())


async def forget_guesses(tx: Tx, key: bytes) -> None:
    """Start anew after a right guess."""
    await tx.execute(_FORGET, {"key": key})


async def sweep_guesses(tx: Tx, now: datetime) -> None:
    """Drop counts that no limit looks at any more."""
    await tx.execute(_SWEEP, {"before": now - KEPT})


def seconds_until(moment: datetime, now: datetime) -> int:
    """Return whole seconds to wait, at least one."""
    return max(1, ceil((moment - now).total_seconds()))

"""The SQL of the relay: claiming, finishing and burying outbox messages."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows, write_rows

LEASE_SECONDS = 60


class Claimed(msgspec.Struct, frozen=True):
    """An outbox message this relay holds until its lease ends."""

    id: int
    topic: str
    payload: dict[str, Any]
    ordering_key: str | None
    trace_id: str | None
    attempts: int
    created_at: datetime


class NewErrands(msgspec.Struct, frozen=True):
    """How many messages are new, and how many of them have waited for long."""

    count: int
    stale: int


# The head of an ordering key blocks those behind it, also while it waits for its next attempt.
_CLAIM = text(
    "UPDATE outbox_messages SET leased_until = :until, leased_by = :holder,"
    " attempts = attempts + 1 WHERE id IN ("
    " SELECT id FROM outbox_messages o"
    " WHERE dead_at IS NULL AND available_at <= :now"
    " AND (leased_until IS NULL OR leased_until < :now)"
    " AND (CAST(:only AS text[]) IS NULL OR topic = ANY(CAST(:only AS text[])))"
    " AND (CAST(:without AS text[]) IS NULL OR topic <> ALL(CAST(:without AS text[])))"
    " AND (ordering_key IS NULL OR NOT EXISTS ("
    "  SELECT 1 FROM outbox_messages earlier WHERE earlier.ordering_key = o.ordering_key"
    "  AND earlier.dead_at IS NULL AND earlier.id < o.id))"
    " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " RETURNING id, topic, payload, ordering_key, trace_id, attempts, created_at"
)

_COUNT_NEW = text(
    "SELECT count(*), count(*) FILTER (WHERE available_at < :stale) FROM"
    " (SELECT available_at FROM outbox_messages"
    " WHERE dead_at IS NULL AND available_at BETWEEN :since AND :now"
    " AND topic = ANY(CAST(:topics AS text[]))"
    " AND (attempts = 0 OR attempts = 1 AND leased_until IS NOT NULL)"
    " ORDER BY available_at LIMIT :limit) AS new"
)
_DELETE = text("DELETE FROM outbox_messages WHERE id = ANY(CAST(:ids AS bigint[]))")
_HANDLE = text(
    "INSERT INTO handled_messages (subscriber, message_id, handled_at)"
    " SELECT :subscriber, id, :now FROM unnest(CAST(:ids AS bigint[])) AS m(id) ORDER BY id"
    " ON CONFLICT DO NOTHING RETURNING message_id"
)


async def claim_due(
    tx: Tx,
    *,
    limit: int,
    now: datetime,
    holder: int | None = None,
    only: Collection[str] | None = None,
    without: Collection[str] | None = None,
) -> list[Claimed]:
    """Take up to `limit` due messages for LEASE_SECONDS, oldest first, as this holder.

    Of all topics, or of `only` these, or of all `without` these.
    """
    values = {
        "until": now + timedelta(seconds=LEASE_SECONDS),
        "now": now,
        "limit": limit,
        "holder": holder,
        "only": None if only is None else sorted(only),
        "without": None if without is None else sorted(without),
    }
    rows = await fetch_rows(tx, _CLAIM, values)
    return sorted((Claimed(*row) for row in rows), key=lambda message: message.id)


async def count_new(
    tx: Tx,
    *,
    topics: Collection[str],
    since: datetime,
    stale: datetime,
    now: datetime,
    limit: int,
) -> NewErrands:
    """Count messages due from `since` on of which no attempt has ended, and those due by `stale`.

    Stops at the oldest `limit`.
    """
    values = {"topics": list(topics), "since": since, "stale": stale, "now": now, "limit": limit}
    [row] = await fetch_rows(tx, _COUNT_NEW, values)
    return NewErrands(row[0], row[1])


async def delete_done(tx: Tx, ids: Sequence[int]) -> None:
    """Remove delivered messages."""
    await fetch_rows(tx, _DELETE, {"ids": list(ids)})


async def postpone(tx: Tx, message_id: int, *, until: datetime, error: str) -> None:
    """Give a failed message back, to be tried again from `until`."""
    await tx.execute(
        text(
            "UPDATE outbox_messages SET leased_until = NULL, available_at = :until,"
            " last_error = :error WHERE id = :id"
        ),
        {"id": message_id, "until": until, "error": error[:2000]},
    )


async def bury(tx: Tx, message_id: int, *, now: datetime, error: str) -> None:
    """Make a message a dead letter: kept, counted, out of the way of those behind it."""
    await tx.execute(
        text(
            "UPDATE outbox_messages SET leased_until = NULL, dead_at = :now, last_error = :error"
            " WHERE id = :id"
        ),
        {"id": message_id, "now": now, "error": error[:2000]},
    )


async def revive_dead(tx: Tx, *, topic: str | None, now: datetime) -> int:
    """Put dead letters (of one topic, or all) back in line; return how many."""
    rows = await tx.execute(
        text(
            "UPDATE outbox_messages SET dead_at = NULL, attempts = 0, available_at = :now,"
            " created_at = :now"
            " WHERE dead_at IS NOT NULL AND (CAST(:topic AS text) IS NULL OR topic = :topic)"
            " RETURNING id"
        ),
        {"topic": topic, "now": now},
    )
    return len(rows.all())


async def claim_handling(tx: Tx, *, subscriber: str, message_id: int, now: datetime) -> bool:
    """Note that a subscriber handles a message; False when it already did."""
    row = await tx.execute(
        text(
            "INSERT INTO handled_messages (subscriber, message_id, handled_at)"
            " VALUES (:subscriber, :message_id, :now) ON CONFLICT DO NOTHING RETURNING 1"
        ),
        {"subscriber": subscriber, "message_id": message_id, "now": now},
    )
    return row.first() is not None


async def claim_handlings(
    tx: Tx, *, subscriber: str, message_ids: Sequence[int], now: datetime
) -> set[int]:
    """Note that a subscriber handles these messages; return those that it did not yet."""
    values = {"subscriber": subscriber, "ids": list(message_ids), "now": now}
    return {row.message_id for row in await write_rows(tx, _HANDLE, values)}


async def forget_handled(tx: Tx, now: datetime) -> None:
    """Drop handling notes whose messages are long gone, and used-up housekeeping rows."""
    await tx.execute(
        text(
            "DELETE FROM handled_messages WHERE handled_at < :before AND NOT EXISTS"
            " (SELECT 1 FROM outbox_messages m WHERE m.id = message_id)"
        ),
        {"before": now - timedelta(hours=1)},
    )


async def outbox_figures(tx: Tx) -> dict[str, float]:
    """Count waiting and dead messages and tell the age of the oldest waiting one in seconds."""
    row = (
        await tx.execute(
            text(
                "SELECT count(*) FILTER (WHERE dead_at IS NULL) AS waiting,"
                " count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,"
                " coalesce(extract(epoch FROM clock_timestamp() - min(created_at)"
                " FILTER (WHERE dead_at IS NULL)), 0) AS oldest_seconds FROM outbox_messages"
            )
        )
    ).one()
    return {
        "waiting": float(row.waiting),
        "dead": float(row.dead),
        "oldest_seconds": float(row.oldest_seconds),
    }


async def list_dead(tx: Tx, *, limit: int = 20) -> list[tuple[int, str, int, str]]:
    """Return the latest dead letters: id, topic, attempts, the last error."""
    rows = await tx.execute(
        text(
            "SELECT id, topic, attempts, coalesce(last_error, '') FROM outbox_messages"
            " WHERE dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT :limit"
        ),
        {"limit": limit},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]

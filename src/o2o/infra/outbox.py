"""The outbox: what must happen outside a transaction is written inside it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.trace import current_trace_id
from o2o.kernel.events import Event


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do outside: a topic with a registered performer and its payload."""

    topic: str
    payload: dict[str, Any]
    # Errands with the same key are done one after another, in the order of writing.
    ordering_key: str | None = None
    # An errand whose dedupe key is already in the outbox is not written again.
    dedupe_key: str | None = None
    delay_seconds: int = 0


_INSERT = text(
    "INSERT INTO outbox_messages"
    " (topic, payload, ordering_key, dedupe_key, trace_id, created_at, available_at)"
    " SELECT topic, payload::jsonb, ordering_key, dedupe_key, :trace_id, :now, available_at"
    " FROM unnest("
    " CAST(:topics AS text[]), CAST(:payloads AS text[]), CAST(:ordering_keys AS text[]),"
    " CAST(:dedupe_keys AS text[]), CAST(:available_ats AS timestamptz[]))"
    " WITH ORDINALITY AS m(topic, payload, ordering_key, dedupe_key, available_at, position)"
    " ORDER BY position"
    " ON CONFLICT (dedupe_key) DO NOTHING"
)


async def publish(
    tx: Tx, *events: Event, now: datetime | None = None, ordering_key: str | None = None
) -> None:
    """Write events to the outbox; their subscribers run after the commit, at least once."""
    if not events:
        return
    now = now or datetime.now(UTC)
    await tx.execute(
        _INSERT,
        {
            "trace_id": current_trace_id(),
            "now": now,
            "topics": [event.name for event in events],
            "payloads": [msgspec.json.encode(event).decode() for event in events],
            "ordering_keys": [ordering_key for _ in events],
            "dedupe_keys": [None for _ in events],
            "available_ats": [now for _ in events],
        },
    )


async def send(tx: Tx, errands: Sequence[Errand], *, now: datetime | None = None) -> None:
    """Write errands to the outbox in one statement, in their order."""
    if not errands:
        return
    now = now or datetime.now(UTC)
    await tx.execute(
        _INSERT,
        {
            "trace_id": current_trace_id(),
            "now": now,
            "topics": [errand.topic for errand in errands],
            "payloads": [msgspec.json.encode(errand.payload).decode() for errand in errands],
            "ordering_keys": [errand.ordering_key for errand in errands],
            "dedupe_keys": [errand.dedupe_key for errand in errands],
            "available_ats": [now + timedelta(seconds=e.delay_seconds) for e in errands],
        },
    )

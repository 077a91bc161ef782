"""The outbox: what must happen outside a transaction is written inside it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
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


# Topic, payload as JSON, ordering key, dedupe key, from when it is due.
_Message = tuple[str, str, str | None, str | None, datetime]

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
    now = now or datetime.now(UTC)
    await _write(
        tx,
        [
            # Encoded as they are: this is written with every number and every charge.
            (event.name, msgspec.json.encode(event).decode(), ordering_key, None, now)
            for event in events
        ],
        now=now,
    )


async def send(tx: Tx, errands: Sequence[Errand], *, now: datetime | None = None) -> None:
    """Write errands to the outbox in one statement, in their order."""
    now = now or datetime.now(UTC)
    await _write(
        tx,
        [
            (
                errand.topic,
                msgspec.json.encode(errand.payload).decode(),
                errand.ordering_key,
                errand.dedupe_key,
                now + timedelta(seconds=errand.delay_seconds),
            )
            for errand in errands
        ],
        now=now,
    )


async def _write(tx: Tx, messages: Sequence[_Message], *, now: datetime) -> None:
    if not messages:
        return
    topics, payloads, ordering_keys, dedupe_keys, available_ats = map(
        list, zip(*messages, strict=True)
    )
    await write_rows(
        tx,
        _INSERT,
        {
            "trace_id": current_trace_id(),
            "now": now,
            "topics": topics,
            "payloads": payloads,
            "ordering_keys": ordering_keys,
            "dedupe_keys": dedupe_keys,
            "available_ats": available_ats,
        },
    )

"""Live news of queues: which topics there are, and the relay's word to all workers.

A change is said straight from its own event, in one step: no errand of its own, no further round of
the relay between the clerk's tap and the phones.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from o2o.infra.live import Broadcaster, LiveMessage

CHANGED = "queue.changed"


def queue_topic(queue_id: UUID | str) -> str:
    """Name what those hear who watch one queue."""
    return f"queue:{queue_id}"


def store_topic(store_id: UUID | str) -> str:
    """Name what those hear who watch all queues of a store: its pads, its display, its page."""
    return f"queues:{store_id}"


class QueueBroadcaster:
    """The relay's side: performs the event `queue.changed` by saying it to all workers."""

    def __init__(self, broadcaster: Broadcaster) -> None:
        """Speak through the relay's broadcaster."""
        self._broadcaster = broadcaster

    async def perform_many(self, payloads: Sequence[dict[str, Any]]) -> None:
        """Say which queues changed, each once: {queue_id, business_on, version}."""
        latest: dict[str, LiveMessage] = {}
        for payload in payloads:
            data = {name: payload[name] for name in ("queue_id", "business_on", "version")}
            name = f"{payload['queue_id']} {payload['business_on']}"
            known = latest.get(name)
            if known is None or known.data["version"] < payload["version"]:
                latest[name] = LiveMessage(str(payload["store_id"]), CHANGED, data)
        await self._broadcaster.say(
            [
                LiveMessage(topic, CHANGED, message.data)
                for message in latest.values()
                for topic in (queue_topic(message.data["queue_id"]), store_topic(message.topic))
            ]
        )

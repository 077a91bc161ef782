"""Live news of queues: which topics there are, and the relay's word to all workers.

A change is said straight from its own event, in one step: no errand of its own, no further round of
the relay between the clerk's tap and the phones.
"""

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

    async def perform(self, payload: dict[str, Any]) -> None:
        """Say that a queue changed: {queue_id, business_on, version}."""
        data = {name: payload[name] for name in ("queue_id", "business_on", "version")}
        topics = (queue_topic(payload["queue_id"]), store_topic(payload["store_id"]))
        await self._broadcaster.say([LiveMessage(topic, CHANGED, data) for topic in topics])

"""Who may watch a store's queues live: the clerks at its pads, and its displays by their link."""

from urllib.parse import parse_qs
from uuid import UUID

from o2o.crm.statuses import Audience
from o2o.queueing.displays import is_good_display
from o2o.queueing.live import store_topic
from o2o.queueing.web.display_links import read_display_key
from o2o.web.cookies import cookie_in, cookie_name
from o2o.web.edge import Scope
from o2o.web.live import TopicOf
from o2o.web.platform import Platform

PAD_ROUTE = "/pad/queue/live"
DISPLAY_ROUTE = "/display/{store}/live"
_PARTS = 4


def is_display_stream(path: str) -> bool:
    """Whether a path is a display's stream."""
    parts = path.split("/")
    return len(parts) == _PARTS and parts[1] == "display" and parts[3] == "live"


def pad_queue_topic(platform: Platform) -> TopicOf:
    """Return the rule for `GET /pad/queue/live`: the queues of the signed-in clerk's store."""
    session = cookie_name(platform.settings, Audience.PAD.value)
    device = cookie_name(platform.settings, "pad_device")

    async def topic_of(scope: Scope) -> str | None:
        secret, token = cookie_in(scope, device), cookie_in(scope, session)
        if scope.get("method") != "GET" or not secret or not token:
            return None
        clerk = await platform.visitors.find_clerk_at(secret, token=token)
        return store_topic(clerk.store_id) if clerk else None

    return topic_of


def display_topic(platform: Platform) -> TopicOf:
    """Return the rule for `GET /display/{store}/live`: whoever has the display's link of now."""

    async def topic_of(scope: Scope) -> str | None:
        if scope.get("method") != "GET":
            return None
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        try:
            store_id = UUID(scope["path"].split("/")[2])
        except ValueError:
            return None
        edition = read_display_key(platform.seal, store_id, query.get("key", [""])[0])
        if edition is None:
            return None
        is_good = await is_good_display(platform.sessions, store_id, edition)
        return store_topic(store_id) if is_good else None

    return topic_of

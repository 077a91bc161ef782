"""Who may watch which live messages: a member, those about the own card; a clerk, the pad's."""

from o2o.crm.statuses import Audience
from o2o.web.cookies import cookie_in, cookie_name
from o2o.web.edge import Scope
from o2o.web.live import TopicOf
from o2o.web.platform import Platform


def diner_topic(platform: Platform) -> TopicOf:
    """Return the rule for `GET /h5/{account}/live`: the session's own member, nobody else's."""
    name = cookie_name(platform.settings, Audience.DINER.value)

    async def topic_of(scope: Scope) -> str | None:
        token = cookie_in(scope, name)
        if scope.get("method") != "GET" or not token:
            return None
        diner = await platform.visitors.find_diner(token)
        if diner is None or diner.member_id is None or diner.is_snapshot:
            return None
        if scope["path"] != f"/h5/{diner.account_slug}/live":
            return None
        return f"member:{diner.member_id}"

    return topic_of


def pad_topic(platform: Platform) -> TopicOf:
    """Return the rule for `GET /pad/live`: what the signed-in clerk's own pad is told."""
    session = cookie_name(platform.settings, Audience.PAD.value)
    device = cookie_name(platform.settings, "pad_device")

    async def topic_of(scope: Scope) -> str | None:
        secret, token = cookie_in(scope, device), cookie_in(scope, session)
        if scope.get("method") != "GET" or not secret or not token:
            return None
        clerk = await platform.visitors.find_clerk_at(secret, token=token)
        return f"pad:{clerk.pad_id}" if clerk else None

    return topic_of

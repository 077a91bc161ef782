"""Tell a member what became of a wish: a refund, value passed on, a copy of the data."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from o2o.infra.database import Tx
from o2o.notifications.queries import find_follower
from o2o.wechat.actions.queue_messages import queue_template_message
from o2o.wechat.templates import Value

PASSED_ON = "stored_value_passed_on"
REFUNDED = "stored_value_refunded"
SERVICE_DONE = "service_done"
# What is told of no store in particular is dated as the brand's customers read clocks.
ZONE = ZoneInfo("Asia/Shanghai")


async def tell_member(
    tx: Tx,
    *,
    purpose: str,
    member_id: UUID,
    values: Mapping[str, Value],
    page: str,
    client_msg_id: str,
    now: datetime,
) -> UUID | None:
    """Queue one message that leads to a page of the account; None when nobody follows any."""
    to = await find_follower(tx, member_id=member_id)
    if to is None:
        return None
    return await queue_template_message(
        tx,
        account_id=to.account_id,
        openid=to.openid,
        purpose=purpose,
        values=values,
        url=f"/h5/{to.account_slug}/{page}",
        client_msg_id=client_msg_id,
        now=now,
    )

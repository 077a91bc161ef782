"""Whether WeChat would take a customer-service message to a person now.

A message of the person allows five in 48 hours; a tap on the menu, following and a scan allow
three within a minute each (WECHAT.md §2.4 of the platform facts).
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx

AFTER_MESSAGE = timedelta(hours=48)
AFTER_ACT = timedelta(minutes=1)
AFTER_MESSAGE_COUNT_MAX = 5
AFTER_ACT_COUNT_MAX = 3

# The latest message and the latest act; then what was sent since each of them.
_IS_OPEN = text(
    "SELECT EXISTS (SELECT 1 FROM ("
    " (SELECT received_at, CAST(:message_count_max AS bigint) AS count_max FROM inbound_messages"
    "  WHERE account_id = :account_id AND openid = :openid AND kind <> 'event'"
    "  AND received_at > :message_since ORDER BY id DESC LIMIT 1)"
    " UNION ALL"
    " (SELECT received_at, CAST(:act_count_max AS bigint) FROM inbound_messages"
    "  WHERE account_id = :account_id AND openid = :openid AND kind = 'event'"
    "  AND lower(event) IN ('click', 'scancode_push', 'scancode_waitmsg', 'subscribe', 'scan')"
    "  AND received_at > :act_since ORDER BY id DESC LIMIT 1)"
    ") w WHERE (SELECT count(*) FROM deliveries d WHERE d.account_id = :account_id"
    " AND d.openid = :openid AND d.channel = 'custom' AND d.accepted_at > w.received_at)"
    " < w.count_max)"
)


async def is_window_open(tx: Tx, *, account_id: UUID, openid: str, now: datetime) -> bool:
    """Whether a customer-service message may be sent, by what reached us and what we sent."""
    found = await tx.scalar(
        _IS_OPEN,
        {
            "account_id": account_id,
            "openid": openid,
            "message_since": now - AFTER_MESSAGE,
            "message_count_max": AFTER_MESSAGE_COUNT_MAX,
            "act_since": now - AFTER_ACT,
            "act_count_max": AFTER_ACT_COUNT_MAX,
        },
    )
    return bool(found)

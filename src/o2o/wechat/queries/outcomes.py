"""Reads of how callbacks went: what was refused and when, what was taken in last, who signed in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text

from o2o.crm.members import Fan
from o2o.crm.staff import WebSession
from o2o.crm.wechat import CallbackOutcome
from o2o.infra.database import Tx

# An account that was silent for this many messages of all accounts counts as silent.
MESSAGES_LOOKED_AT = 500_000

_LAST_MESSAGE = text(
    "SELECT received_at FROM inbound_messages WHERE account_id = :account_id"
    " AND id > (SELECT coalesce(max(id), 0) FROM inbound_messages) - :looked_at"
    " ORDER BY id DESC LIMIT 1"
)


async def list_outcomes(tx: Tx, account: str) -> list[CallbackOutcome]:
    """Return what became of an account's callbacks beside the inbox, the latest first."""
    found = await tx.scalars(
        select(CallbackOutcome)
        .where(CallbackOutcome.account == account)
        .order_by(CallbackOutcome.last_at.desc(), CallbackOutcome.outcome)
    )
    return list(found)


async def find_last_message_at(tx: Tx, account_id: UUID) -> datetime | None:
    """Return when the account's latest message was taken in, if it was among the recent ones."""
    at: datetime | None = await tx.scalar(
        _LAST_MESSAGE, {"account_id": account_id, "looked_at": MESSAGES_LOOKED_AT}
    )
    return at


async def find_last_sign_in_at(tx: Tx, account_id: UUID) -> datetime | None:
    """Return when WeChat last told us who is looking at a page of this account."""
    at: datetime | None = await tx.scalar(
        select(func.max(WebSession.created_at))
        .join(Fan, Fan.id == WebSession.fan_id)
        .where(Fan.account_id == account_id)
    )
    return at

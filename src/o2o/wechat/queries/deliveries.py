"""Reads of deliveries and of the templates that serve their purposes."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.statuses import DeliveryChannel, DeliveryStatus
from o2o.crm.wechat import Delivery, MessageTemplate
from o2o.infra.database import Tx

_FINISH_EVENT = text(
    "SELECT fields->>'Status' FROM inbound_messages WHERE account_id = :account_id"
    " AND openid = :openid AND event = 'TEMPLATESENDJOBFINISH' AND fields->>'MsgID' = :msgid"
    " ORDER BY id LIMIT 1"
)


class QueuedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is still to be sent."""

    id: UUID
    account_id: UUID
    openid: str
    channel: DeliveryChannel
    client_msg_id: str
    purpose: str | None
    content: dict[str, object]
    # See OutgoingMessage.
    about: dict[str, object] | None
    otherwise: dict[str, object] | None
    created_at: datetime


async def find_queued(tx: Tx, delivery_id: UUID) -> QueuedDelivery | None:
    """Return a delivery that waits to be sent; None when its fate is decided."""
    row = await tx.scalar(
        select(Delivery).where(Delivery.id == delivery_id, Delivery.status == DeliveryStatus.QUEUED)
    )
    if row is None:
        return None
    return QueuedDelivery(
        id=row.id,
        account_id=row.account_id,
        openid=row.openid,
        channel=row.channel,
        client_msg_id=row.client_msg_id,
        purpose=row.purpose,
        content=row.content,
        about=row.about,
        otherwise=row.otherwise,
        created_at=row.created_at,
    )


async def find_template(tx: Tx, *, account_id: UUID, purpose: str) -> str | None:
    """Return the id of the account's template for a purpose."""
    found: str | None = await tx.scalar(
        select(MessageTemplate.template_id).where(
            MessageTemplate.account_id == account_id, MessageTemplate.purpose == purpose
        )
    )
    return found


async def list_templates(tx: Tx, account_id: UUID) -> dict[str, str]:
    """Return the account's templates: purpose → template id."""
    rows = await tx.execute(
        select(MessageTemplate.purpose, MessageTemplate.template_id).where(
            MessageTemplate.account_id == account_id
        )
    )
    return {row.purpose: row.template_id for row in rows}


async def find_finish_status(tx: Tx, *, account_id: UUID, openid: str, msgid: str) -> str | None:
    """Return the Status of a TEMPLATESENDJOBFINISH that came before we knew the message's id."""
    found: str | None = await tx.scalar(
        _FINISH_EVENT, {"account_id": account_id, "openid": openid, "msgid": msgid}
    )
    return found

"""Reads of deliveries and of the templates that serve their purposes."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.statuses import DeliveryChannel
from o2o.crm.wechat import MessageTemplate
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows

_QUEUED = text(
    "SELECT d.id, d.account_id, d.openid, d.channel, d.client_msg_id, d.purpose, d.content,"
    " d.about, d.otherwise, t.template_id FROM deliveries d LEFT JOIN message_templates t"
    " ON d.channel = 'template' AND t.account_id = d.account_id AND t.purpose = d.purpose"
    " WHERE d.id = ANY(CAST(:ids AS uuid[])) AND d.status = 'queued'"
)
_FINISH_EVENTS = text(
    "SELECT m.account_id, m.msgid, f.status FROM unnest(CAST(:account_ids AS uuid[]),"
    " CAST(:openids AS text[]), CAST(:msgids AS text[])) AS m(account_id, openid, msgid)"
    " CROSS JOIN LATERAL (SELECT coalesce(i.sent, CAST(i.fields AS json))->>'Status' AS status"
    "  FROM inbound_messages i"
    "  WHERE i.account_id = m.account_id AND i.openid = m.openid"
    "  AND i.event = 'TEMPLATESENDJOBFINISH'"
    "  AND coalesce(i.sent, CAST(i.fields AS json))->>'MsgID' = m.msgid"
    "  ORDER BY i.id LIMIT 1) f"
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
    # Of the account's template for the purpose, where one is known.
    template_id: str | None


async def find_queued(tx: Tx, delivery_ids: Collection[UUID]) -> dict[UUID, QueuedDelivery]:
    """Return those of these deliveries that wait to be sent; of the others the fate is decided."""
    rows = await fetch_rows(tx, _QUEUED, {"ids": list(delivery_ids)})
    return {
        row.id: QueuedDelivery(
            id=row.id,
            account_id=row.account_id,
            openid=row.openid,
            channel=DeliveryChannel(row.channel),
            client_msg_id=row.client_msg_id,
            purpose=row.purpose,
            content=row.content,
            about=row.about,
            otherwise=row.otherwise,
            template_id=row.template_id,
        )
        for row in rows
    }


async def list_templates(tx: Tx, account_id: UUID) -> dict[str, str]:
    """Return the account's templates: purpose → template id."""
    rows = await tx.execute(
        select(MessageTemplate.purpose, MessageTemplate.template_id).where(
            MessageTemplate.account_id == account_id
        )
    )
    return {row.purpose: row.template_id for row in rows}


async def find_finish_statuses(
    tx: Tx, messages: Sequence[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str], str]:
    """Return the Status of TEMPLATESENDJOBFINISH that came before we knew the messages' ids.

    `messages` are account, openid and msgid; the answer is by account and msgid.
    """
    rows = await fetch_rows(
        tx,
        _FINISH_EVENTS,
        {
            "account_ids": [account_id for account_id, _, _ in messages],
            "openids": [openid for _, openid, _ in messages],
            "msgids": [msgid for _, _, msgid in messages],
        },
    )
    return {(row.account_id, row.msgid): row.status for row in rows}

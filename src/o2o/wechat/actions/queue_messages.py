"""Queue messages to fans: a row that says what became of each, and the errand that sends it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import DeliveryChannel
from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.infra.outbox import Errand, send
from o2o.kernel.ids import new_id
from o2o.wechat.codec.replies import AnyReply, as_custom_message
from o2o.wechat.templates import Value, fill

TOPICS = {
    DeliveryChannel.TEMPLATE: "wechat.send_template",
    DeliveryChannel.CUSTOM: "wechat.send_custom",
}
# Template messages that nobody should have to wait for while others are sent.
URGENT_TOPIC = "wechat.send_template_at_once"
# WeChat keeps at most 32 characters of a client's own message id.
CLIENT_MSG_ID_CHARS_MAX = 32

_INSERT = text(
    "INSERT INTO deliveries"
    " (id, account_id, openid, channel, client_msg_id, purpose, content, about, otherwise,"
    " created_at)"
    " SELECT id, account_id, openid, channel, client_msg_id, purpose, content::jsonb,"
    " about::jsonb, otherwise::jsonb, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:account_ids AS uuid[]), CAST(:openids AS text[]),"
    " CAST(:channels AS text[]), CAST(:client_msg_ids AS text[]), CAST(:purposes AS text[]),"
    " CAST(:contents AS text[]), CAST(:abouts AS text[]), CAST(:otherwises AS text[]))"
    " AS m(id, account_id, openid, channel, client_msg_id, purpose, content, about, otherwise)"
    " ORDER BY account_id, client_msg_id"
    " ON CONFLICT (account_id, client_msg_id) DO NOTHING RETURNING id"
)


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one openid, in the form in which its delivery keeps it."""

    account_id: UUID
    openid: str
    channel: DeliveryChannel
    # The same id is the same message: it is queued once, and WeChat delivers it once.
    client_msg_id: str
    content: dict[str, Any]
    purpose: str | None = None
    # What it tells of: `check` names who says at the time of sending whether that still is so
    # (`Messenger.ask_before`), the rest is for that check. None: it is sent whenever it can be.
    about: dict[str, Any] | None = None
    # A template's stand-in: the content of a customer-service message, sent in its place where
    # WeChat has no template for us or refuses it, if the person's window is open. Never both.
    otherwise: dict[str, Any] | None = None
    # A template that passes others by, those to the same person too.
    is_urgent: bool = False


def template_message(
    *,
    account_id: UUID,
    openid: str,
    purpose: str,
    values: Mapping[str, Value],
    url: str,
    client_msg_id: str,
    about: dict[str, Any] | None = None,
    otherwise: AnyReply | None = None,
    is_urgent: bool = False,
) -> OutgoingMessage:
    """Make a template message of our values (see `templates.fill`).

    `url` is a whole address or a path of ours (`/h5/…`), empty for none. For `about`, `otherwise`
    and `is_urgent` see OutgoingMessage. Raises PurposeUnknown, TemplateValuesWrong.
    """
    return OutgoingMessage(
        account_id=account_id,
        openid=openid,
        channel=DeliveryChannel.TEMPLATE,
        client_msg_id=client_msg_id,
        content={"data": fill(purpose, values), "url": url},
        purpose=purpose,
        about=about,
        otherwise=as_custom_message(otherwise) if otherwise is not None else None,
        is_urgent=is_urgent,
    )


async def queue_messages(
    tx: Tx, messages: Sequence[OutgoingMessage], *, now: datetime
) -> list[UUID]:
    """Queue messages in two statements; return the deliveries that are new.

    Messages to one person through one channel leave one after another, in their order, urgent
    ones beside the others.
    """
    if not messages:
        return []
    ids = [new_id() for _ in messages]
    rows = await write_rows(
        tx,
        _INSERT,
        {
            "ids": ids,
            "account_ids": [message.account_id for message in messages],
            "openids": [message.openid for message in messages],
            "channels": [message.channel.value for message in messages],
            "client_msg_ids": [_shortened(message.client_msg_id) for message in messages],
            "purposes": [message.purpose for message in messages],
            "contents": [_json(message.content) for message in messages],
            "abouts": [_json(message.about) for message in messages],
            "otherwises": [_json(message.otherwise) for message in messages],
            "now": now,
        },
    )
    fresh = {row.id for row in rows}
    await send(
        tx,
        [
            sending_errand(
                delivery_id,
                message.channel,
                account_id=message.account_id,
                openid=message.openid,
                is_urgent=message.is_urgent,
            )
            for delivery_id, message in zip(ids, messages, strict=True)
            if delivery_id in fresh
        ],
        now=now,
    )
    return [delivery_id for delivery_id in ids if delivery_id in fresh]


async def queue_template_message(
    tx: Tx,
    *,
    account_id: UUID,
    openid: str,
    purpose: str,
    values: Mapping[str, Value],
    url: str,
    client_msg_id: str,
    now: datetime,
) -> UUID | None:
    """Queue one template message; None when its client_msg_id was queued before.

    Raises PurposeUnknown, TemplateValuesWrong.
    """
    message = template_message(
        account_id=account_id,
        openid=openid,
        purpose=purpose,
        values=values,
        url=url,
        client_msg_id=client_msg_id,
    )
    queued = await queue_messages(tx, [message], now=now)
    return queued[0] if queued else None


def custom_message(
    *, account_id: UUID, openid: str, reply: AnyReply, client_msg_id: str
) -> OutgoingMessage | None:
    """Make a customer-service message of a reply; None where that form does not exist."""
    content = as_custom_message(reply)
    if content is None:
        return None
    return OutgoingMessage(
        account_id=account_id,
        openid=openid,
        channel=DeliveryChannel.CUSTOM,
        client_msg_id=client_msg_id,
        content=content,
    )


async def queue_custom_message(
    tx: Tx,
    *,
    account_id: UUID,
    openid: str,
    reply: AnyReply,
    client_msg_id: str,
    now: datetime,
) -> UUID | None:
    """Queue one customer-service message; None when queued before or not expressible as one."""
    message = custom_message(
        account_id=account_id, openid=openid, reply=reply, client_msg_id=client_msg_id
    )
    queued = await queue_messages(tx, [message], now=now) if message is not None else []
    return queued[0] if queued else None


def _shortened(client_msg_id: str) -> str:
    if len(client_msg_id) <= CLIENT_MSG_ID_CHARS_MAX:
        return client_msg_id
    return hashlib.sha256(client_msg_id.encode()).hexdigest()[:CLIENT_MSG_ID_CHARS_MAX]


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def sending_errand(
    delivery_id: UUID,
    channel: DeliveryChannel,
    *,
    account_id: UUID,
    openid: str,
    is_urgent: bool = False,
) -> Errand:
    """Make the errand that sends a delivery through a channel, after those before it there.

    An urgent one (a template message) comes after urgent ones alone.
    """
    return Errand(
        topic=URGENT_TOPIC if is_urgent else TOPICS[channel],
        payload={"delivery_id": str(delivery_id)},
        ordering_key=f"{'urgent' if is_urgent else channel.value}:{account_id}:{openid}",
        dedupe_key=f"delivery:{delivery_id}:{channel.value}",
    )

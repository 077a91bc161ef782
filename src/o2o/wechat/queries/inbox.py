"""The SQL of the inbox: keeping messages once, finding what was kept, storing replies."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AnsweredVia
from o2o.infra.database import Tx
from o2o.wechat.codec.messages import Event, InboundMessage, UnknownEvent
from o2o.wechat.inbox import Received

# In the order of their keys, so that two processes with the same messages wait instead of deadlock.
_INSERT = text(
    "INSERT INTO inbound_messages (account_id, message_key, body_hash, signed_at, nonce, openid,"
    " kind, event, fields, received_at, answered_via)"
    " SELECT account_id, message_key, body_hash, signed_at, nonce, openid, kind, event,"
    " fields::jsonb, received_at, answered_via FROM unnest("
    " CAST(:account_ids AS uuid[]), CAST(:keys AS bytea[]), CAST(:body_hashes AS bytea[]),"
    " CAST(:signed_ats AS bigint[]), CAST(:nonces AS text[]), CAST(:openids AS text[]),"
    " CAST(:kinds AS text[]), CAST(:events AS text[]), CAST(:fields AS text[]),"
    " CAST(:received_ats AS timestamptz[]), CAST(:vias AS text[]))"
    " AS m(account_id, message_key, body_hash, signed_at, nonce, openid, kind, event, fields,"
    " received_at, answered_via)"
    " ORDER BY account_id, message_key"
    " ON CONFLICT DO NOTHING RETURNING id, account_id, message_key"
)
_FIND = text(
    "SELECT m.id, m.account_id, m.message_key, m.body_hash, m.signed_at, m.nonce, m.reply,"
    " m.answered_via FROM unnest(CAST(:account_ids AS uuid[]), CAST(:keys AS bytea[]))"
    " AS asked(account_id, message_key)"
    " JOIN inbound_messages m USING (account_id, message_key)"
)
_STORE_REPLIES = text(
    "UPDATE inbound_messages m SET reply = r.reply::jsonb, answered_via ="
    " CASE m.answered_via WHEN 'nothing' THEN 'passive' ELSE m.answered_via END"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:replies AS text[])) AS r(id, reply)"
    " WHERE m.id = r.id"
)
_ANSWER_LATER = text(
    "UPDATE inbound_messages SET answered_via = 'custom'"
    " WHERE id = ANY(CAST(:ids AS bigint[])) AND answered_via <> 'custom' RETURNING id"
)
_UNMEANT_TAG = "Encrypt"


class KeptRow(msgspec.Struct, frozen=True):
    """A message that was in the inbox before."""

    id: int
    body_hash: bytes
    reply: dict[str, Any] | None
    answered_via: AnsweredVia


async def keep_messages(tx: Tx, received: Sequence[Received]) -> dict[tuple[UUID, bytes], int]:
    """Insert what is new and return its ids by place; a concurrent insert is waited for."""
    rows = await tx.execute(
        _INSERT,
        {
            "account_ids": [one.account.id for one in received],
            "keys": [one.key for one in received],
            "body_hashes": [one.body_hash for one in received],
            "signed_ats": [one.signed_at for one in received],
            "nonces": [one.nonce for one in received],
            "openids": [one.message.from_user for one in received],
            "kinds": [kind_of(one.message) for one in received],
            "events": [event_of(one.message) for one in received],
            "fields": [_fields_json(one.message) for one in received],
            "received_ats": [one.received_at for one in received],
            "vias": [_via_at_first(one).value for one in received],
        },
    )
    return {(row.account_id, bytes(row.message_key)): row.id for row in rows}


async def find_kept(
    tx: Tx, places: Sequence[tuple[UUID, bytes]]
) -> dict[tuple[UUID, bytes], KeptRow]:
    """Return the messages that were kept before, by place."""
    if not places:
        return {}
    rows = await tx.execute(
        _FIND,
        {"account_ids": [place[0] for place in places], "keys": [place[1] for place in places]},
    )
    return {
        (row.account_id, bytes(row.message_key)): KeptRow(
            row.id, bytes(row.body_hash), row.reply, AnsweredVia(row.answered_via)
        )
        for row in rows
    }


async def store_replies(tx: Tx, replies: Sequence[tuple[int, bytes]]) -> None:
    """Keep what was answered (JSON), for whoever asks again."""
    if replies:
        await tx.execute(
            _STORE_REPLIES,
            {
                "ids": [message_id for message_id, _ in replies],
                "replies": [reply.decode() for _, reply in replies],
            },
        )


async def claim_later_answers(tx: Tx, ids: Sequence[int]) -> set[int]:
    """Mark messages as answered by customer-service message; return those that were not before."""
    if not ids:
        return set()
    rows = await tx.execute(_ANSWER_LATER, {"ids": list(ids)})
    return {row.id for row in rows}


def kind_of(message: InboundMessage) -> str:
    """Return MsgType as it was sent."""
    return str(message.raw.get("MsgType") or "")


def event_of(message: InboundMessage) -> str | None:
    """Return Event as it was sent; None for messages."""
    if isinstance(message, UnknownEvent):
        return message.event
    return str(message.raw.get("Event") or "") if isinstance(message, Event) else None


def _via_at_first(one: Received) -> AnsweredVia:
    return AnsweredVia.NOTHING if one.via is AnsweredVia.PASSIVE else one.via


def _fields_json(message: InboundMessage) -> str:
    fields = message.raw
    if _UNMEANT_TAG in fields:
        # What compatible mode puts beside the fields is the same once more, unreadable.
        fields = {tag: value for tag, value in fields.items() if tag != _UNMEANT_TAG}
    return msgspec.json.encode(fields).decode()

"""The SQL of the inbox: keeping messages once, finding what was kept, storing replies."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.crm.statuses import AnsweredVia
from o2o.infra.database import Tx, violated_constraint
from o2o.infra.direct import fetch_direct
from o2o.wechat.codec.messages import Event, InboundMessage
from o2o.wechat.inbox import Received

# Rows travel as one JSON text: asyncpg looks at each element of an array three times to see whether
# it is an array in turn, which cost a tenth of the whole callback. As json, which is read once:
# jsonb would be made of the whole first, at a fifth of the insert; and what is kept as JSON stays
# the text it is. Rows are inserted in the order in which they come.
_INSERT = (
    "INSERT INTO inbound_messages (account_id, message_key, signed_at, nonce, openid,"
    " kind, event, sent, received_at, answer, answered_via)"
    " SELECT account_id, decode(message_key, 'base64'), signed_at,"
    " nonce, openid, kind, event, fields, received_at, reply, answered_via"
    " FROM json_to_recordset(CAST(CAST($1 AS text) AS json))"
    " AS m(account_id uuid, message_key text, signed_at bigint, nonce text,"
    " openid text, kind text, event text, fields json, received_at timestamptz,"
    " reply json, answered_via text)"
)
_INSERT_NEW = f"{_INSERT} ON CONFLICT DO NOTHING RETURNING id, account_id, message_key"
_KEPT_ONCE = frozenset(
    {
        "uq_inbound_messages_account_id_message_key",
        "uq_inbound_messages_account_id_signed_at_nonce",
    }
)
_FIND = text(
    "SELECT m.id, m.account_id, m.message_key, coalesce(m.sent, CAST(m.fields AS json)) AS fields,"
    " coalesce(m.answer, CAST(m.reply AS json)) AS reply,"
    " m.answered_via FROM unnest(CAST(:account_ids AS uuid[]), CAST(:keys AS bytea[]))"
    " AS asked(account_id, message_key)"
    " JOIN inbound_messages m USING (account_id, message_key)"
)
_STORE_REPLIES = (
    "UPDATE inbound_messages m SET answer = r.reply, answered_via ="
    " CASE m.answered_via WHEN 'nothing' THEN 'passive' ELSE m.answered_via END"
    " FROM json_to_recordset(CAST(CAST($1 AS text) AS json)) AS r(id bigint, reply json)"
    " WHERE m.id = r.id"
)
_ANSWER_LATER = text(
    "UPDATE inbound_messages SET answered_via = 'custom'"
    " WHERE id = ANY(CAST(:ids AS bigint[])) AND answered_via <> 'custom' RETURNING id"
)
_UNMEANT_TAG = "Encrypt"
_ENCODER = msgspec.json.Encoder()
_KEY_OF = attrgetter("message_key")


class KeptRow(msgspec.Struct, frozen=True):
    """A message that was in the inbox before."""

    id: int
    # Without what an erasure took out of them since.
    fields: dict[str, Any]
    reply: dict[str, Any] | None
    answered_via: AnsweredVia


class NewRow(msgspec.Struct, frozen=True, gc=False):
    """A message as it is inserted."""

    account_id: UUID
    message_key: bytes
    signed_at: int
    nonce: str
    openid: str
    kind: str
    event: str | None
    fields: dict[str, Any]
    received_at: datetime
    reply: msgspec.Raw | None
    answered_via: AnsweredVia


class ReplyRow(msgspec.Struct, frozen=True, gc=False):
    """What a message was answered, as JSON."""

    id: int
    reply: msgspec.Raw


async def keep_messages(tx: Tx, received: Sequence[Received]) -> dict[tuple[UUID, bytes], int]:
    """Insert what is new and return its ids by place; a concurrent insert is waited for."""
    rows = _in_order([_new_row(one, None) for one in received])
    kept = await fetch_direct(tx, _INSERT_NEW, _ENCODER.encode(rows).decode())
    return {(row[1], row[2]): row[0] for row in kept}


async def keep_answered(tx: Tx, answered: Sequence[tuple[Received, msgspec.Raw | None]]) -> bool:
    """Insert messages with what they were answered (JSON).

    Return False when a message or a nonce was there before: none was inserted, and a transaction
    that has begun can only be undone.
    """
    rows = _in_order([_new_row(one, reply) for one, reply in answered])
    try:
        await fetch_direct(tx, _INSERT, _ENCODER.encode(rows).decode())
    except DBAPIError as error:
        if violated_constraint(error) in _KEPT_ONCE:
            return False
        raise
    return True


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
            row.id, row.fields, row.reply, AnsweredVia(row.answered_via)
        )
        for row in rows
    }


async def store_replies(tx: Tx, replies: Sequence[ReplyRow]) -> None:
    """Keep what was answered (JSON), for whoever asks again."""
    if replies:
        await fetch_direct(tx, _STORE_REPLIES, _ENCODER.encode(replies).decode())


async def claim_later_answers(tx: Tx, ids: Sequence[int]) -> set[int]:
    """Mark messages as answered by customer-service message; return those that were not before."""
    if not ids:
        return set()
    rows = await tx.execute(_ANSWER_LATER, {"ids": list(ids)})
    return {row.id for row in rows}


def kind_of(message: InboundMessage) -> str:
    """Return MsgType as it was sent."""
    return str(message.raw["MsgType"])


def event_of(message: InboundMessage) -> str | None:
    """Return Event as it was sent; None for messages."""
    event = message.raw.get("Event")
    is_event = message.msg_id is None and event is not None and isinstance(message, Event)
    return str(event) if is_event else None


def kept_fields(one: Received) -> dict[str, Any]:
    """Return what of a message is kept: two with one key that differ here are a conflict."""
    fields = one.message.raw
    if _UNMEANT_TAG in fields:
        # What compatible mode puts beside the fields is the same once more, unreadable, and each
        # retry encrypts it anew.
        fields = {tag: value for tag, value in fields.items() if tag != _UNMEANT_TAG}
    return fields


def _new_row(one: Received, reply: msgspec.Raw | None) -> NewRow:
    message = one.message
    return NewRow(
        one.place[0],
        one.place[1],
        int(one.signed_at),
        one.nonce,
        message.from_user,
        kind_of(message),
        event_of(message),
        kept_fields(one),
        one.received_at,
        reply,
        AnsweredVia.NOTHING if reply is None and one.via is AnsweredVia.PASSIVE else one.via,
    )


def _in_order(rows: list[NewRow]) -> list[NewRow]:
    """Sort rows by their keys.

    So two processes with the same messages wait for each other instead of deadlocking.
    """
    rows.sort(key=_KEY_OF)
    return rows

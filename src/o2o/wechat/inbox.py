"""What a verified callback carries into the inbox, and what the inbox answers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from o2o.crm.statuses import AnsweredVia
from o2o.wechat.codec.dedupe import message_key
from o2o.wechat.codec.envelope import Query
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.messages import InboundMessage, parse_message
from o2o.wechat.codec.replies import AnyReply
from o2o.wechat.official_account import Account

# Real openids have 28 characters, nonces about ten; both stand in unique keys of the database.
OPENID_CHARS_MAX = 128
NONCE_CHARS_MAX = 128
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message that WeChat sent and signed, typed, with its identity."""

    account: Account
    message: InboundMessage
    # Account and openid.
    person: tuple[UUID, str]
    # Account and message key: what is unique about the message.
    place: tuple[UUID, bytes]
    # Seconds since 1970 as WeChat wrote them: decimal digits.
    signed_at: str
    nonce: str
    received_at: datetime
    # PASSIVE: the reply goes back in the response. CUSTOM: it is sent later, from the spool.
    via: AnsweredVia = AnsweredVia.PASSIVE
    # False: keep it and say sorry, because answering it broke something of ours.
    is_answered: bool = True


class Kept(msgspec.Struct, frozen=True):
    """A message that is in the inbox, now or before, and what it is answered."""

    reply: AnyReply
    is_new: bool


def receive(
    account: Account, fields: dict[str, object], *, query: Query, received_at: datetime
) -> Received:
    """Type the verified fields of a callback.

    Raises CallbackRefused (xml_broken, signature_invalid) for a sender or nonce no index can hold.
    """
    message = parse_message(
        fields, message_datum=account.message_datum, event_datum=account.event_datum
    )
    if len(message.from_user) > OPENID_CHARS_MAX:
        raise CallbackRefused(RefusalCode.XML_BROKEN, "FromUserName is too long")
    if len(query.nonce) > NONCE_CHARS_MAX or not query.nonce.isprintable():
        raise CallbackRefused(RefusalCode.SIGNATURE_INVALID, "nonce")
    return Received(
        account=account,
        message=message,
        person=(account.id, message.from_user),
        place=(account.id, message_key(message)),
        signed_at=query.timestamp,
        nonce=query.nonce,
        received_at=received_at,
    )


def received_ns(moment: datetime) -> int:
    """Return a moment as nanoseconds since 1970 without going through a float."""
    return (moment - EPOCH) // MICROSECOND * 1000

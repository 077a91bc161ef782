"""Identity of a message: tells a retry from another event of the same second."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from msgspec.json import Encoder

from o2o.wechat.codec.messages import InboundMessage

# Sorted keys at every depth: the bytes depend on the content alone, not on order, indentation or
# CDATA.
_CANONICAL: Final = Encoder(order="deterministic")
_ENVELOPE_TAG: Final = "Encrypt"
# Copied for each content: making one anew looks the algorithm up in the library each time.
_NOTHING_HASHED: Final = sha256()


def message_key(message: InboundMessage) -> bytes:
    """32 bytes, equal for every delivery of one message and different for any other.

    WeChat identifies messages by MsgId and events by FromUserName and CreateTime, whose one second
    is too coarse (a follow and a template result share it), so for events all fields count: Event,
    EventKey, MsgID, Ticket, Status and whatever else a kind carries. So they do for a message
    without a usable MsgId.
    """
    if message.msg_id is None:
        return body_hash(message.raw)
    return _sha256_of(f"MsgId {message.msg_id} {message.to_user}".encode())


def body_hash(fields: Mapping[str, Any]) -> bytes:
    """32 bytes over the content, whatever its order.

    The ``Encrypt`` that compatible mode puts beside the fields is left out: each retry encrypts
    anew.
    """
    content = {tag: value for tag, value in fields.items() if tag != _ENVELOPE_TAG}
    return _sha256_of(_CANONICAL.encode(content))


def _sha256_of(content: bytes) -> bytes:
    hashed = _NOTHING_HASHED.copy()
    hashed.update(content)
    return hashed.digest()

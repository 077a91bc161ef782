"""What may be answered to a message: a struct for each kind of reply, and its stored form."""

import re
from typing import Final

import msgspec
from msgspec import Struct

TEXT_SIZE_MAX: Final = 2048

# Everything XML 1.0 cannot carry, escaped or not; one such character and WeChat drops the reply.
_XML_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Reply(Struct, frozen=True, tag_field="type"):
    """Something to answer with. Stored by its ``type``, so that an answer outlives the process."""


class NoReply(Reply, frozen=True, tag="none"):
    """Received, and nothing to say."""


class TextReply(Reply, frozen=True, tag="text"):
    """Cut to 2048 bytes of UTF-8 when rendered, on the border of a character."""

    content: str


class ImageReply(Reply, frozen=True, tag="image"):
    media_id: str


class VoiceReply(Reply, frozen=True, tag="voice"):
    media_id: str


class VideoReply(Reply, frozen=True, tag="video"):
    """``thumb_media_id`` is of use only when the reply is pushed as a customer-service message."""

    media_id: str
    title: str = ""
    description: str = ""
    thumb_media_id: str = ""


class MusicReply(Reply, frozen=True, tag="music"):
    """``thumb_media_id`` is required by WeChat, all else is optional."""

    thumb_media_id: str
    title: str = ""
    description: str = ""
    music_url: str = ""
    hq_music_url: str = ""


class NewsArticle(Struct, frozen=True):
    """A card with a picture that opens ``url``."""

    title: str
    description: str
    pic_url: str
    url: str


class NewsReply(Reply, frozen=True, tag="news"):
    """One article in answer to a person's message, up to eight in answer to an event."""

    articles: tuple[NewsArticle, ...]


class TransferToAgentReply(Reply, frozen=True, tag="transfer_customer_service"):
    """Hands the person to any agent, or to the one named; only in answer to a message."""

    kf_account: str = ""


SpokenReply = (
    TextReply | ImageReply | VoiceReply | VideoReply | MusicReply | NewsReply | TransferToAgentReply
)
AnyReply = NoReply | SpokenReply
NO_REPLY: Final = NoReply()

_DECODER: Final[msgspec.json.Decoder[AnyReply]] = msgspec.json.Decoder(AnyReply)


def reply_to_json(reply: AnyReply) -> bytes:
    """The stored form, which :func:`reply_from_json` reads back to an equal reply."""
    return msgspec.json.encode(reply)


def reply_from_json(data: bytes | str) -> AnyReply:
    """The reply stored by :func:`reply_to_json`. Raises ValueError for anything else."""
    try:
        return _DECODER.decode(data)
    except msgspec.DecodeError as error:
        msg = f"not a stored reply: {error}"
        raise ValueError(msg) from error


def legal_text(text: str) -> str:
    """The text without the characters that XML cannot carry."""
    if text.isascii() and text.isprintable():
        # Most are openids, names of kinds and nonces: the search costs five times this.
        return text
    return _XML_ILLEGAL.sub("", text)


def shown_text(reply: TextReply) -> str:
    """What of a text reaches the person: cleaned first, then cut."""
    data = legal_text(reply.content).encode()
    # Dropping a broken tail is the cut on a character's border: only the end can be broken.
    return data[:TEXT_SIZE_MAX].decode(errors="ignore")

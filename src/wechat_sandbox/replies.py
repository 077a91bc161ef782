"""What an account answered to a callback: nothing, a passive reply to show, or something unusable.

Facts: an empty body or `success` stops retries; anything that is not valid reply XML (encrypted in
safe mode) makes WeChat tell the person that the account cannot serve now.
"""

from collections.abc import Callable
from typing import Any

from wechat_sandbox import codec, wire_xml
from wechat_sandbox.accounts import Account

TEXT_BYTES_MAX = 2048
SILENCE = frozenset({b"", b"success"})
ARTICLES_MAX = 8
USER_MESSAGE_TYPES = frozenset(
    {"text", "image", "voice", "video", "shortvideo", "location", "link"}
)
# WeChat ignores whatever is answered to these.
SILENT_TRIGGERS = frozenset({"LOCATION", "VIEW", "unsubscribe", "TEMPLATESENDJOBFINISH"})
# For these the person waits for an answer, and is told when none comes.
AWAITED_TRIGGERS = USER_MESSAGE_TYPES | {
    "subscribe",
    "SCAN",
    "CLICK",
    "scancode_waitmsg",
    "location_select",
}


class BadReply(Exception):
    """The answer cannot be shown; the argument says why, for the pane beside the phone."""


def read_reply(
    account: Account, *, openid: str, trigger: str, body: bytes
) -> dict[str, Any] | None:
    """The reply as the chat shows it, or None for silence. Raises BadReply."""
    stripped = body.strip()
    if stripped in SILENCE:
        return None
    try:
        fields = wire_xml.parse(stripped)
    except wire_xml.BadXml as error:
        raise BadReply(f"not XML: {error}") from error
    if "Encrypt" in fields and "MsgType" not in fields:
        fields = _opened(account, fields)
    elif account.mode == "safe":
        raise BadReply("safe mode needs an encrypted reply")
    _check_addresses(account, openid=openid, fields=fields)
    kind = fields.get("MsgType")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise BadReply(f"unknown MsgType {kind!r}")
    reply = read(fields)
    if kind == "transfer_customer_service" and trigger not in USER_MESSAGE_TYPES:
        raise BadReply("only a message can be passed to customer service")
    if kind == "news" and trigger in USER_MESSAGE_TYPES:
        # WeChat shows one article in answer to a message, however many were sent.
        reply["articles"] = reply["articles"][:1]
    return None if trigger in SILENT_TRIGGERS else reply


def _opened(account: Account, packet: dict[str, Any]) -> dict[str, Any]:
    if account.mode == "plain":
        raise BadReply("plain mode needs a plain reply")
    parts = [packet.get(name) for name in ("TimeStamp", "Nonce", "Encrypt", "MsgSignature")]
    if not all(isinstance(part, str) and part for part in parts):
        raise BadReply("the reply packet lacks Encrypt, MsgSignature, TimeStamp or Nonce")
    timestamp, nonce, encrypted, given = (str(part) for part in parts)
    expected = codec.signature(account.token, timestamp, nonce, encrypted)
    if not codec.same_signature(given, expected):
        raise BadReply("MsgSignature does not match")
    try:
        message = codec.decrypt(
            encrypted, encoding_aes_key=account.encoding_aes_key, appid=account.appid
        )
        return wire_xml.parse(message)
    except codec.BadEnvelope as error:
        raise BadReply(f"Encrypt cannot be opened: {error}") from error
    except wire_xml.BadXml as error:
        raise BadReply(f"the encrypted reply is not XML: {error}") from error


def _check_addresses(account: Account, *, openid: str, fields: dict[str, Any]) -> None:
    if fields.get("ToUserName") != openid:
        raise BadReply("ToUserName is not the sender's openid")
    if fields.get("FromUserName") != account.original_id:
        raise BadReply("FromUserName is not the account's original id")
    created = fields.get("CreateTime")
    if not (isinstance(created, str) and created.isascii() and created.isdigit()):
        raise BadReply("CreateTime is not a number")


def _part(fields: dict[str, Any], name: str) -> dict[str, Any]:
    part = fields.get(name)
    if not isinstance(part, dict):
        raise BadReply(f"{name} is missing")
    return part


def _text_of(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _required(fields: dict[str, Any], name: str) -> str:
    value = _text_of(fields, name)
    if not value:
        raise BadReply(f"{name} is missing or empty")
    return value


def _text(fields: dict[str, Any]) -> dict[str, Any]:
    content = _required(fields, "Content")
    if len(content.encode()) > TEXT_BYTES_MAX:
        raise BadReply(f"Content is over {TEXT_BYTES_MAX} bytes")
    return {"type": "text", "content": content}


def _image(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "media_id": _required(_part(fields, "Image"), "MediaId")}


def _voice(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "voice", "media_id": _required(_part(fields, "Voice"), "MediaId")}


def _video(fields: dict[str, Any]) -> dict[str, Any]:
    video = _part(fields, "Video")
    return {
        "type": "video",
        "media_id": _required(video, "MediaId"),
        "title": _text_of(video, "Title"),
        "description": _text_of(video, "Description"),
    }


def _music(fields: dict[str, Any]) -> dict[str, Any]:
    music = _part(fields, "Music")
    return {
        "type": "music",
        "title": _text_of(music, "Title"),
        "description": _text_of(music, "Description"),
        "url": _text_of(music, "MusicUrl"),
        "hq_url": _text_of(music, "HQMusicUrl"),
        "thumb_media_id": _required(music, "ThumbMediaId"),
    }


def _news(fields: dict[str, Any]) -> dict[str, Any]:
    items = _part(fields, "Articles").get("item")
    listed = items if isinstance(items, list) else [items]
    articles = [article for article in listed if isinstance(article, dict)]
    if not articles or len(articles) != len(listed):
        raise BadReply("Articles holds no item")
    if _text_of(fields, "ArticleCount") != str(len(articles)):
        raise BadReply("ArticleCount is not the number of items")
    return {
        "type": "news",
        "articles": [
            {
                "title": _text_of(article, "Title"),
                "description": _text_of(article, "Description"),
                "pic_url": _text_of(article, "PicUrl"),
                "url": _text_of(article, "Url"),
            }
            for article in articles[:ARTICLES_MAX]
        ],
    }


def _transfer(fields: dict[str, Any]) -> dict[str, Any]:
    info = fields.get("TransInfo")
    account = _text_of(info, "KfAccount") if isinstance(info, dict) else ""
    return {"type": "transfer_customer_service", "kf_account": account}


_READERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "music": _music,
    "news": _news,
    "transfer_customer_service": _transfer,
}

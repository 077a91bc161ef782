"""A reply as the body of a customer-service message, for when the callback's time is over."""

from typing import Any

from o2o.wechat.codec.reply_types import (
    AnyReply,
    ImageReply,
    MusicReply,
    NewsArticle,
    NewsReply,
    TextReply,
    VideoReply,
    VoiceReply,
    shown_text,
)


def as_custom_message(reply: AnyReply) -> dict[str, Any] | None:
    """The same content as the body of a customer-service message, without its ``touser``.

    None where that form does not exist: no reply, a hand-over, an empty text, several articles
    (error 45008).
    """
    kind, content = _kind_and_content(reply)
    return {"msgtype": kind, kind: content} if content else None


def _kind_and_content(reply: AnyReply) -> tuple[str, dict[str, Any]]:
    content: dict[str, Any] = {}
    kind = ""
    match reply:
        case TextReply() if (text := shown_text(reply)).strip():
            kind, content = "text", {"content": text}
        case ImageReply():
            kind, content = "image", {"media_id": reply.media_id}
        case VoiceReply():
            kind, content = "voice", {"media_id": reply.media_id}
        case VideoReply():
            kind, content = "video", _custom_video(reply)
        case MusicReply():
            kind, content = "music", _custom_music(reply)
        case NewsReply(articles=(article,)):
            kind, content = "news", {"articles": [_custom_article(article)]}
    return kind, content


def _custom_video(reply: VideoReply) -> dict[str, str]:
    optional = {
        "thumb_media_id": reply.thumb_media_id,
        "title": reply.title,
        "description": reply.description,
    }
    return {"media_id": reply.media_id} | {name: text for name, text in optional.items() if text}


def _custom_music(reply: MusicReply) -> dict[str, str]:
    return {
        "title": reply.title,
        "description": reply.description,
        "musicurl": reply.music_url,
        "hqmusicurl": reply.hq_music_url,
        "thumb_media_id": reply.thumb_media_id,
    }


def _custom_article(article: NewsArticle) -> dict[str, str]:
    return {
        "title": article.title,
        "description": article.description,
        "url": article.url,
        "picurl": article.pic_url,
    }

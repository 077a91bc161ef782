"""Renders replies as the XML that answers a callback; import the kinds of replies from here."""

from functools import lru_cache
from typing import Final, assert_never

from o2o.wechat.codec.custom_messages import as_custom_message
from o2o.wechat.codec.reply_types import (
    NO_REPLY,
    AnyReply,
    ImageReply,
    MusicReply,
    NewsArticle,
    NewsReply,
    NoReply,
    SpokenReply,
    TextReply,
    TransferToAgentReply,
    VideoReply,
    VoiceReply,
    legal_text,
    reply_from_json,
    reply_to_json,
    shown_text,
)

__all__ = [
    "ARTICLE_COUNT_MAX",
    "NOTHING_TO_SAY",
    "NO_REPLY",
    "AnyReply",
    "ImageReply",
    "MusicReply",
    "NewsArticle",
    "NewsReply",
    "NoReply",
    "TextReply",
    "TransferToAgentReply",
    "VideoReply",
    "VoiceReply",
    "as_custom_message",
    "cdata",
    "render_reply",
    "reply_from_json",
    "reply_to_json",
]

ARTICLE_COUNT_MAX: Final = 8
NOTHING_TO_SAY: Final = b"success"
"""What WeChat takes as "received, no reply, no retry"; never encrypted."""


def render_reply(
    reply: AnyReply,
    *,
    to_user: str,
    from_user: str,
    created_at: int,
    answers_message: bool = True,
) -> bytes:
    """The XML to answer with; ``success`` for no reply and for a text with nothing to show.

    ``to_user`` is the person's openid, ``from_user`` the account's original id, ``created_at``
    seconds since 1970. ``answers_message`` is False for events: WeChat takes several articles only
    then, and agents only otherwise. Raises ValueError for what WeChat would refuse: a missing media
    id, a wrong number of articles, an agent in answer to an event.
    """
    if type(reply) is TextReply:
        content = _text_content(reply)
        if not content:
            return NOTHING_TO_SAY
    elif isinstance(reply, NoReply):
        return NOTHING_TO_SAY
    else:
        content = _content(reply, answers_message=answers_message)
    kind = reply.__struct_config__.tag
    return (
        f"<xml>{_tag('ToUserName', to_user)}{_known_tag('FromUserName', from_user)}"
        f"<CreateTime>{int(created_at)}</CreateTime>{_known_tag('MsgType', str(kind))}"
        f"{content}</xml>"
    ).encode()


@lru_cache(maxsize=256)
def _text_content(reply: TextReply) -> str:
    """The element of a text; empty when there is nothing to show. Most people get the same ones."""
    shown = shown_text(reply)
    return _tag("Content", shown) if shown.strip() else ""


def cdata(text: str) -> str:
    """The text as a CDATA section, which it cannot leave and which any XML parser reads back.

    Characters that XML cannot carry are removed; an inner ``]]>`` is split over two sections.
    """
    return f"<![CDATA[{legal_text(text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _tag(name: str, text: str) -> str:
    return f"<{name}>{cdata(text)}</{name}>"


# For what is the same in most replies: an account's name, a kind.
_known_tag: Final = lru_cache(maxsize=256)(_tag)


def _optional_tags(**texts: str) -> str:
    return "".join(_tag(name, text) for name, text in texts.items() if text)


def _content(reply: SpokenReply, *, answers_message: bool) -> str:
    """The elements after MsgType. Raises ValueError."""
    match reply:
        case TextReply():
            content = _text_content(reply)
        case ImageReply():
            content = f"<Image>{_media(reply.media_id)}</Image>"
        case VoiceReply():
            content = f"<Voice>{_media(reply.media_id)}</Voice>"
        case VideoReply():
            texts = _optional_tags(Title=reply.title, Description=reply.description)
            content = f"<Video>{_media(reply.media_id)}{texts}</Video>"
        case MusicReply():
            content = _music(reply)
        case NewsReply():
            count_max = 1 if answers_message else ARTICLE_COUNT_MAX
            content = _news(reply.articles, count_max=count_max)
        case TransferToAgentReply():
            content = _transfer(reply, answers_message=answers_message)
        case _:
            assert_never(reply)
    return content


def _media(media_id: str, tag: str = "MediaId") -> str:
    if not media_id:
        msg = f"{tag} is required"
        raise ValueError(msg)
    return _tag(tag, media_id)


def _music(reply: MusicReply) -> str:
    texts = _optional_tags(
        Title=reply.title,
        Description=reply.description,
        MusicUrl=reply.music_url,
        HQMusicUrl=reply.hq_music_url,
    )
    return f"<Music>{texts}{_media(reply.thumb_media_id, 'ThumbMediaId')}</Music>"


def _news(articles: tuple[NewsArticle, ...], *, count_max: int) -> str:
    if not 1 <= len(articles) <= count_max:
        msg = f"{len(articles)} articles, 1 to {count_max} are allowed here"
        raise ValueError(msg)
    items = "".join(
        "<item>"
        + _tag("Title", article.title)
        + _tag("Description", article.description)
        + _tag("PicUrl", article.pic_url)
        + _tag("Url", article.url)
        + "</item>"
        for article in articles
    )
    return f"<ArticleCount>{len(articles)}</ArticleCount><Articles>{items}</Articles>"


def _transfer(reply: TransferToAgentReply, *, answers_message: bool) -> str:
    if not answers_message:
        msg = "only a person's message can be handed to an agent"
        raise ValueError(msg)
    return (
        f"<TransInfo>{_tag('KfAccount', reply.kf_account)}</TransInfo>" if reply.kf_account else ""
    )

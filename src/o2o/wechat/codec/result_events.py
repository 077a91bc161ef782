"""Builds the struct of each event WeChat itself reports: sending, authorisation, agents."""

import re
from collections.abc import Iterable
from typing import Final, Literal

from o2o.wechat.codec import message_types as t
from o2o.wechat.codec.fields import (
    Build,
    Fields,
    Head,
    child_of,
    children_of,
    integer_of,
    text_of,
    texts_of,
)

# Comma, semicolon, bar, space and their Chinese forms.
_SEPARATORS: Final = re.compile("[,;|\\s\u3001\uff0c\uff1b]+")
_MASS_ERROR: Final = re.compile(r"err\(([0-9]{1,9})\)")
_TEMPLATE_REASONS: Final = {"userblock": "user_block", "systemfailed": "system_failed"}
_SUBSCRIBE_WRAPPERS: Final = (
    "SubscribeMsgPopupEvent",
    "SubscribeMsgChangeEvent",
    "SubscribeMsgSentEvent",
)


def _squeezed(status: str) -> str:
    """Without spaces and case, which have varied: ``failed: user block``, ``sendsuccess``."""
    return "".join(status.split()).casefold()


def _template_sent(head: Head, fields: Fields, _datum: t.Datum) -> t.TemplateSendFinished:
    status = _squeezed(text_of(fields, "Status"))
    succeeded = status == "success"
    word = status.removeprefix("failed").lstrip(":")
    return t.TemplateSendFinished(
        *head,
        sent_msg_id=integer_of(fields, "MsgID"),
        succeeded=succeeded,
        reason="" if succeeded else _TEMPLATE_REASONS.get(word, word),
    )


def _mass_sent(head: Head, fields: Fields, _datum: t.Datum) -> t.MassSendFinished:
    status = _squeezed(text_of(fields, "Status"))
    error = _MASS_ERROR.fullmatch(status)
    results = child_of(child_of(fields, "ArticleUrlResult"), "ResultList")
    return t.MassSendFinished(
        *head,
        sent_msg_id=integer_of(fields, "MsgID"),
        succeeded=status == "sendsuccess",
        status=status,
        error_code=None if error is None else int(error[1]),
        total_count=integer_of(fields, "TotalCount"),
        filter_count=integer_of(fields, "FilterCount"),
        sent_count=integer_of(fields, "SentCount"),
        error_count=integer_of(fields, "ErrorCount"),
        article_urls=tuple(text_of(item, "ArticleUrl") for item in children_of(results, "item")),
    )


def _subscribe_rows(fields: Fields) -> list[Fields]:
    """The entries of ``List``, single or several, under whichever wrapper.

    The official sample of the change event stands in the popup's wrapper; the JSON form has none.
    """
    for wrapper in _SUBSCRIBE_WRAPPERS:
        if rows := children_of(child_of(fields, wrapper), "List"):
            return rows
    return children_of(fields, "List")


def _choices(fields: Fields) -> tuple[t.SubscribeChoice, ...]:
    return tuple(
        t.SubscribeChoice(
            template_id=text_of(row, "TemplateId"),
            accepted=_squeezed(text_of(row, "SubscribeStatusString")) == "accept",
            popup_scene=integer_of(row, "PopupScene"),
        )
        for row in _subscribe_rows(fields)
    )


def _subscribe_popup(head: Head, fields: Fields, _datum: t.Datum) -> t.SubscribePopupEvent:
    return t.SubscribePopupEvent(*head, _choices(fields))


def _subscribe_change(head: Head, fields: Fields, _datum: t.Datum) -> t.SubscribeChangeEvent:
    return t.SubscribeChangeEvent(*head, _choices(fields))


def _subscribe_sent(head: Head, fields: Fields, _datum: t.Datum) -> t.SubscribeSentEvent:
    deliveries = (
        t.SubscribeDelivery(
            template_id=text_of(row, "TemplateId"),
            sent_msg_id=integer_of(row, "MsgID"),
            succeeded=(error_code := integer_of(row, "ErrorCode")) == 0,
            error_code=error_code,
            error_status=text_of(row, "ErrorStatus"),
        )
        for row in _subscribe_rows(fields)
    )
    return t.SubscribeSentEvent(*head, tuple(deliveries))


def _openid_and_appid(head: Head, fields: Fields) -> tuple[str, str]:
    """The person meant, who is also the sender where the field is missing."""
    return text_of(fields, "OpenID") or head[1], text_of(fields, "AppID")


def _info_modified(head: Head, fields: Fields, _datum: t.Datum) -> t.UserInfoModified:
    return t.UserInfoModified(*head, *_openid_and_appid(head, fields))


def _revoked(head: Head, fields: Fields, _datum: t.Datum) -> t.AuthorizationRevoked:
    codes = _parts(texts_of(fields, "RevokeInfo"))
    return t.AuthorizationRevoked(*head, *_openid_and_appid(head, fields), codes)


def _cancelled(head: Head, fields: Fields, _datum: t.Datum) -> t.AuthorizationCancelled:
    return t.AuthorizationCancelled(*head, *_openid_and_appid(head, fields))


def _parts(texts: Iterable[str]) -> tuple[str, ...]:
    """The distinct entries of lists written as text, in order."""
    return tuple(dict.fromkeys(part for text in texts for part in _SEPARATORS.split(text) if part))


def _kf_session(kind: Literal["created", "closed", "switched"]) -> Build:
    def build(head: Head, fields: Fields, _datum: t.Datum) -> t.KfSessionEvent:
        return t.KfSessionEvent(
            *head,
            kind=kind,
            kf_account=text_of(fields, "ToKfAccount") or text_of(fields, "KfAccount"),
            from_kf_account=text_of(fields, "FromKfAccount"),
        )

    return build


def _published(head: Head, fields: Fields, _datum: t.Datum) -> t.PublishFinished:
    info = child_of(fields, "PublishEventInfo")
    articles = children_of(child_of(info, "article_detail"), "item")
    return t.PublishFinished(
        *head,
        publish_id=text_of(info, "publish_id"),
        publish_status=integer_of(info, "publish_status"),
        article_id=text_of(info, "article_id"),
        article_urls=tuple(text_of(article, "article_url") for article in articles),
        fail_indexes=_parts(texts_of(info, "fail_idx")),
    )


RESULT_EVENTS: Final[dict[str, Build]] = {
    "templatesendjobfinish": _template_sent,
    "masssendjobfinish": _mass_sent,
    "subscribe_msg_popup_event": _subscribe_popup,
    "subscribe_msg_change_event": _subscribe_change,
    "subscribe_msg_sent_event": _subscribe_sent,
    "user_info_modified": _info_modified,
    "user_authorization_revoke": _revoked,
    "user_authorization_cancellation": _cancelled,
    "kf_create_session": _kf_session("created"),
    "kf_close_session": _kf_session("closed"),
    "kf_switch_session": _kf_session("switched"),
    "freepublishjobfinish": _published,
}
"""Builders by ``Event`` in lower case."""

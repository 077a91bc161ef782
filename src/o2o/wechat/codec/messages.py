"""Turns parsed fields into a typed message or event; import the types from here."""

from typing import Any

from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.fields import Fields, integer_of, text_of
from o2o.wechat.codec.message_types import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    ClickEvent,
    Datum,
    Event,
    ImageMessage,
    InboundMessage,
    KfSessionEvent,
    LinkMessage,
    LocationEvent,
    LocationMessage,
    LocationSelectEvent,
    MassSendFinished,
    PictureEvent,
    PublishFinished,
    ScanCodeEvent,
    ScanEvent,
    ShortVideoMessage,
    SubscribeChangeEvent,
    SubscribeChoice,
    SubscribeDelivery,
    SubscribeEvent,
    SubscribePopupEvent,
    SubscribeSentEvent,
    TemplateSendFinished,
    TextMessage,
    UnknownEvent,
    UnknownMessage,
    UnsubscribeEvent,
    UserInfoModified,
    UserMessage,
    VideoMessage,
    ViewEvent,
    ViewMiniprogramEvent,
    VoiceMessage,
)
from o2o.wechat.codec.result_events import RESULT_EVENTS
from o2o.wechat.codec.user_events import USER_EVENTS
from o2o.wechat.codec.user_messages import MESSAGES

__all__ = [
    "AuthorizationCancelled",
    "AuthorizationRevoked",
    "ClickEvent",
    "Datum",
    "Event",
    "ImageMessage",
    "InboundMessage",
    "KfSessionEvent",
    "LinkMessage",
    "LocationEvent",
    "LocationMessage",
    "LocationSelectEvent",
    "MassSendFinished",
    "PictureEvent",
    "PublishFinished",
    "ScanCodeEvent",
    "ScanEvent",
    "ShortVideoMessage",
    "SubscribeChangeEvent",
    "SubscribeChoice",
    "SubscribeDelivery",
    "SubscribeEvent",
    "SubscribePopupEvent",
    "SubscribeSentEvent",
    "TemplateSendFinished",
    "TextMessage",
    "UnknownEvent",
    "UnknownMessage",
    "UnsubscribeEvent",
    "UserInfoModified",
    "UserMessage",
    "VideoMessage",
    "ViewEvent",
    "ViewMiniprogramEvent",
    "VoiceMessage",
    "parse_message",
]

_EVENTS = USER_EVENTS | RESULT_EVENTS


def parse_message(
    fields: dict[str, Any],
    *,
    message_datum: Datum = "gcj02",
    event_datum: Datum = "wgs84",
) -> InboundMessage:
    """The typed message; what is unknown is an UnknownMessage or UnknownEvent.

    No official text names the datum of coordinates, so an account's settings may pass their own:
    one for places picked on WeChat's map, one for positions the phone reports. Raises
    CallbackRefused (xml_broken) when FromUserName or MsgType is missing or not one text.
    """
    from_user = text_of(fields, "FromUserName")
    msg_type = text_of(fields, "MsgType")
    if not from_user or not msg_type:
        raise CallbackRefused(RefusalCode.XML_BROKEN, "FromUserName or MsgType")
    to_user = text_of(fields, "ToUserName")
    created_at = integer_of(fields, "CreateTime") or 0
    kind = msg_type.lower()
    if kind != "event":
        head = (to_user, from_user, created_at, _message_id(fields), fields)
        build = MESSAGES.get(kind)
        return (
            UnknownMessage(*head, msg_type) if build is None else build(head, fields, message_datum)
        )
    head = (to_user, from_user, created_at, None, fields)
    event = text_of(fields, "Event")
    build = _EVENTS.get(name := event.lower())
    if build is None:
        return UnknownEvent(*head, event)
    return build(head, fields, message_datum if name == "location_select" else event_datum)


def _message_id(fields: Fields) -> int | None:
    # 0 is what a lenient sender makes of nothing; as an identity it would join strangers.
    number = integer_of(fields, "MsgId")
    return number if number is not None and number > 0 else None

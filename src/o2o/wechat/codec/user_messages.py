"""Builds the struct of each thing a person sends: text, media, place, link."""

from typing import Final

from o2o.wechat.codec import message_types as t
from o2o.wechat.codec.fields import (
    LATITUDE_MAX,
    LONGITUDE_MAX,
    Build,
    Fields,
    Head,
    float_of,
    integer_of,
    text_of,
)


def _text(head: Head, fields: Fields, _datum: t.Datum) -> t.TextMessage:
    return t.TextMessage(*head, text_of(fields, "Content"), text_of(fields, "bizmsgmenuid") or None)


def _image(head: Head, fields: Fields, _datum: t.Datum) -> t.ImageMessage:
    return t.ImageMessage(*head, text_of(fields, "PicUrl"), text_of(fields, "MediaId"))


def _voice(head: Head, fields: Fields, _datum: t.Datum) -> t.VoiceMessage:
    return t.VoiceMessage(
        *head,
        media_id=text_of(fields, "MediaId"),
        format=text_of(fields, "Format"),
        recognition=text_of(fields, "Recognition"),
    )


def _video(head: Head, fields: Fields, _datum: t.Datum) -> t.VideoMessage:
    return t.VideoMessage(*head, text_of(fields, "MediaId"), text_of(fields, "ThumbMediaId"))


def _short_video(head: Head, fields: Fields, _datum: t.Datum) -> t.ShortVideoMessage:
    return t.ShortVideoMessage(*head, text_of(fields, "MediaId"), text_of(fields, "ThumbMediaId"))


def _location_message(head: Head, fields: Fields, datum: t.Datum) -> t.LocationMessage:
    return t.LocationMessage(
        *head,
        latitude=float_of(fields, "Location_X", within=LATITUDE_MAX),
        longitude=float_of(fields, "Location_Y", within=LONGITUDE_MAX),
        scale=integer_of(fields, "Scale"),
        label=text_of(fields, "Label"),
        datum=datum,
    )


def _link(head: Head, fields: Fields, _datum: t.Datum) -> t.LinkMessage:
    return t.LinkMessage(
        *head,
        title=text_of(fields, "Title"),
        description=text_of(fields, "Description"),
        url=text_of(fields, "Url"),
    )


MESSAGES: Final[dict[str, Build]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _short_video,
    "location": _location_message,
    "link": _link,
}
"""Builders by ``MsgType`` in lower case."""

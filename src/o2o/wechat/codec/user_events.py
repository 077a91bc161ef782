"""Builds the typed struct of each event a person causes: following, scanning, menus, position."""

from typing import Final, Literal

from o2o.wechat.codec import message_types as t
from o2o.wechat.codec.fields import (
    LATITUDE_MAX,
    LONGITUDE_MAX,
    Build,
    Fields,
    Head,
    child_of,
    children_of,
    float_of,
    integer_of,
    text_of,
)

SCENE_PREFIX: Final = "qrscene_"
TRADE_PREFIX: Final = "last_trade_no_"


def _subscribe(head: Head, fields: Fields, _datum: t.Datum) -> t.SubscribeEvent:
    """The key names a QR scene, a payment, or, with neither prefix, nothing of ours."""
    key = text_of(fields, "EventKey")
    return t.SubscribeEvent(
        *head,
        scene=(key.startswith(SCENE_PREFIX) and key.removeprefix(SCENE_PREFIX)) or None,
        ticket=text_of(fields, "Ticket") or None,
        transaction_id=(key.startswith(TRADE_PREFIX) and key.removeprefix(TRADE_PREFIX)) or None,
    )


def _unsubscribe(head: Head, _fields: Fields, _datum: t.Datum) -> t.UnsubscribeEvent:
    return t.UnsubscribeEvent(*head)


def _scan(head: Head, fields: Fields, _datum: t.Datum) -> t.ScanEvent:
    return t.ScanEvent(*head, text_of(fields, "EventKey"), text_of(fields, "Ticket") or None)


def _location_event(head: Head, fields: Fields, datum: t.Datum) -> t.LocationEvent:
    return t.LocationEvent(
        *head,
        latitude=float_of(fields, "Latitude", within=LATITUDE_MAX),
        longitude=float_of(fields, "Longitude", within=LONGITUDE_MAX),
        precision=float_of(fields, "Precision"),
        datum=datum,
    )


def _click(head: Head, fields: Fields, _datum: t.Datum) -> t.ClickEvent:
    return t.ClickEvent(*head, text_of(fields, "EventKey"))


def _view(head: Head, fields: Fields, _datum: t.Datum) -> t.ViewEvent:
    return t.ViewEvent(*head, text_of(fields, "EventKey"), text_of(fields, "MenuId"))


def _view_miniprogram(head: Head, fields: Fields, _datum: t.Datum) -> t.ViewMiniprogramEvent:
    return t.ViewMiniprogramEvent(*head, text_of(fields, "EventKey"), text_of(fields, "MenuId"))


def _scan_code(kind: Literal["push", "waitmsg"]) -> Build:
    def build(head: Head, fields: Fields, _datum: t.Datum) -> t.ScanCodeEvent:
        info = child_of(fields, "ScanCodeInfo")
        return t.ScanCodeEvent(
            *head,
            kind=kind,
            key=text_of(fields, "EventKey"),
            scan_type=text_of(info, "ScanType"),
            scan_result=text_of(info, "ScanResult"),
        )

    return build


def _picture(kind: Literal["sysphoto", "photo_or_album", "weixin"]) -> Build:
    def build(head: Head, fields: Fields, _datum: t.Datum) -> t.PictureEvent:
        info = child_of(fields, "SendPicsInfo")
        items = children_of(child_of(info, "PicList"), "item")
        return t.PictureEvent(
            *head,
            kind=kind,
            key=text_of(fields, "EventKey"),
            count=integer_of(info, "Count"),
            md5_sums=tuple(text_of(item, "PicMd5Sum") for item in items),
        )

    return build


def _location_select(head: Head, fields: Fields, datum: t.Datum) -> t.LocationSelectEvent:
    info = child_of(fields, "SendLocationInfo")
    return t.LocationSelectEvent(
        *head,
        key=text_of(fields, "EventKey"),
        latitude=float_of(info, "Location_X", within=LATITUDE_MAX),
        longitude=float_of(info, "Location_Y", within=LONGITUDE_MAX),
        scale=integer_of(info, "Scale"),
        label=text_of(info, "Label"),
        poi_name=text_of(info, "Poiname"),
        datum=datum,
    )


USER_EVENTS: Final[dict[str, Build]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "scan": _scan,
    "location": _location_event,
    "click": _click,
    "view": _view,
    "view_miniprogram": _view_miniprogram,
    "scancode_push": _scan_code("push"),
    "scancode_waitmsg": _scan_code("waitmsg"),
    "pic_sysphoto": _picture("sysphoto"),
    "pic_photo_or_album": _picture("photo_or_album"),
    "pic_weixin": _picture("weixin"),
    "location_select": _location_select,
}
"""Builders by ``Event`` in lower case."""

"""Turns what a person does into the message that WeChat sends the account."""

from dataclasses import dataclass, field
from typing import Any

from wechat_sandbox import ids

# How the control API's snake names are written in an event.
EVENT_FIELDS = {
    "event_key": "EventKey",
    "ticket": "Ticket",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "precision": "Precision",
    "menu_id": "MenuId",
}
# A tap or a scan may be named by its type alone, with its key as `key`.
SHORT_TYPES = {"click": "CLICK", "view": "VIEW", "scan": "SCAN"}
# Events in which EventKey always stands, empty or not.
KEYED_EVENTS = frozenset({"subscribe", "unsubscribe", "CLICK", "VIEW", "SCAN"})
CLICK_EVENTS = frozenset({"CLICK", "scancode_push", "scancode_waitmsg"})
RESERVED_FIELDS = frozenset(
    {"account", "type", "event", "msg_id", "create_time", "copies", "concurrent", "force", "fields"}
)


class BadInput(ValueError):
    """The request to act for a person lacks something; the argument names it."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """`trigger` is the message type or event name, `shown` what the person's own chat keeps."""

    trigger: str
    fields: dict[str, Any]
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        return "Event" in self.fields

    @property
    def grant(self) -> str | None:
        """Which customer-service window this act opens."""
        if not self.is_event:
            return "message"
        if self.trigger in CLICK_EVENTS:
            return "click"
        return {"subscribe": "follow", "SCAN": "scan"}.get(self.trigger)


def envelope(
    inbound: Inbound,
    *,
    original_id: str,
    openid: str,
    now: float,
    msg_id: int | None = None,
    create_time: int | None = None,
) -> dict[str, Any]:
    """The whole message; user messages carry a MsgId, events do not."""
    message: dict[str, Any] = {
        "ToUserName": original_id,
        "FromUserName": openid,
        "CreateTime": int(now) if create_time is None else create_time,
        "MsgType": "event" if inbound.is_event else inbound.trigger,
    }
    message |= inbound.fields
    if not inbound.is_event:
        message["MsgId"] = ids.new_message_id(now) if msg_id is None else msg_id
    return message


def _text(request: dict[str, Any], name: str, default: str | None = None) -> str:
    value = request.get(name, default)
    if not isinstance(value, str):
        raise BadInput(f"{name} must be text")
    return value


def _number(request: dict[str, Any], *names: str) -> float:
    for name in names:
        value = request.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    raise BadInput(f"{names[0]} must be a number")


def _text_message(request: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {"Content": _text(request, "content")}
    if "bizmsgmenuid" in request:
        fields["bizmsgmenuid"] = str(request["bizmsgmenuid"])
    return fields


def _image_message(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "PicUrl": _text(request, "pic_url"),
        "MediaId": _text(request, "media_id", ids.new_media_id()),
    }


def _voice_message(request: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "MediaId": _text(request, "media_id", ids.new_media_id()),
        "Format": _text(request, "format", "amr"),
    }
    if request.get("recognition") is not None:
        fields["Recognition"] = _text(request, "recognition")
    return fields


def _video_message(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "MediaId": _text(request, "media_id", ids.new_media_id()),
        "ThumbMediaId": _text(request, "thumb_media_id", ids.new_media_id()),
    }


def _location_message(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "Location_X": _number(request, "lat", "latitude"),
        "Location_Y": _number(request, "lng", "longitude"),
        "Scale": int(_number({"scale": 15} | request, "scale")),
        "Label": _text(request, "label", ""),
    }


def _link_message(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "Title": _text(request, "title", ""),
        "Description": _text(request, "description", ""),
        "Url": _text(request, "url"),
    }


_MESSAGES = {
    "text": _text_message,
    "image": _image_message,
    "voice": _voice_message,
    "video": _video_message,
    "shortvideo": _video_message,
    "location": _location_message,
    "link": _link_message,
}


def read_request(request: dict[str, Any]) -> Inbound:
    """The act described by a control request. Raises BadInput."""
    kind = _text(request, "type")
    if (event := SHORT_TYPES.get(kind.lower())) is not None:
        key = request.get("key", request.get("event_key", ""))
        return _read_event(request | {"event": event, "event_key": key})
    if kind == "event":
        return _read_event(request)
    build = _MESSAGES.get(kind)
    if build is None:
        raise BadInput(f"type must be event or one of {', '.join(sorted(_MESSAGES))}")
    fields = build(request) | _raw_fields(request)
    shown = {
        name: value
        for name, value in request.items()
        if name not in RESERVED_FIELDS and isinstance(value, str | int | float)
    }
    return Inbound(trigger=kind, fields=fields, shown={"type": kind} | shown)


def _raw_fields(request: dict[str, Any]) -> dict[str, Any]:
    """`fields` may add any element to the XML, so that the odd events of WeChat can be played."""
    extra = request.get("fields", {})
    if not isinstance(extra, dict):
        raise BadInput("fields must be an object")
    return extra


def _read_event(request: dict[str, Any]) -> Inbound:
    event = _text(request, "event")
    if not event or not event.replace("_", "").isalnum():
        raise BadInput("event must be an event name")
    fields: dict[str, Any] = {"Event": event}
    if event in KEYED_EVENTS:
        fields["EventKey"] = ""
    for name, value in request.items():
        if name in RESERVED_FIELDS:
            continue
        if name in EVENT_FIELDS:
            fields[EVENT_FIELDS[name]] = value
        elif name[:1].isupper():
            fields[name] = value
    if "scan_result" in request:
        fields["ScanCodeInfo"] = {
            "ScanType": _text(request, "scan_type", "qrcode"),
            "ScanResult": _text(request, "scan_result"),
        }
    fields |= _raw_fields(request)
    shown = {"type": "event", "event": event, "event_key": str(fields.get("EventKey", ""))}
    return Inbound(trigger=event, fields=fields, shown=shown)

"""What WeChat pushes to an official account: one frozen struct for each message and event.

Field tags and quirks follow WECHAT.md §1.3 and §1.4 of the platform facts, which restate WeChat's
pages on receiving messages and events. Texts that are absent are empty; numbers that are absent or
garbage are None.
"""

from typing import Any, Literal

from msgspec import Struct

Datum = Literal["gcj02", "wgs84"]


class InboundMessage(Struct, frozen=True, gc=False):
    """What every message and event carries."""

    to_user: str
    """Original id (``gh_…``) of the official account."""
    from_user: str
    """openid of the sender; ``mphelper`` or the like for some results."""
    created_at: int
    """Seconds since 1970 as sent, however absurd; 0 when unreadable. Business uses our clock."""
    msg_id: int | None
    """``MsgId`` of a message; None for events."""
    raw: dict[str, Any]
    """All fields as parsed, the unknown ones too."""


class UserMessage(InboundMessage, frozen=True, gc=False):
    """Something a person sent; may be handed to an agent and answered with one article."""


class TextMessage(UserMessage, frozen=True, gc=False):
    """``content`` is exactly what was typed; ``menu_id`` when picked from a msgmenu."""

    content: str
    menu_id: str | None = None


class ImageMessage(UserMessage, frozen=True, gc=False):
    """``pic_url`` is text from outside: never fetched, the media API is asked for ``media_id``."""

    pic_url: str
    media_id: str


class VoiceMessage(UserMessage, frozen=True, gc=False):
    """``recognition`` is the speech as text where the account has that switched on."""

    media_id: str
    format: str
    recognition: str


class VideoMessage(UserMessage, frozen=True, gc=False):
    media_id: str
    thumb_media_id: str


class ShortVideoMessage(UserMessage, frozen=True, gc=False):
    media_id: str
    thumb_media_id: str


class LocationMessage(UserMessage, frozen=True, gc=False):
    """A place a person picked: degrees, with the datum they are in."""

    latitude: float | None
    longitude: float | None
    scale: int | None
    label: str
    datum: Datum


class LinkMessage(UserMessage, frozen=True, gc=False):
    title: str
    description: str
    url: str


class UnknownMessage(InboundMessage, frozen=True, gc=False):
    """A kind this version does not know; stored and counted, not answered."""

    msg_type: str


class Event(InboundMessage, frozen=True, gc=False):
    """Something that happened rather than was said."""


class SubscribeEvent(Event, frozen=True, gc=False):
    """A follow. ``scene`` without ``qrscene_``; ``transaction_id`` after a payment."""

    scene: str | None = None
    ticket: str | None = None
    transaction_id: str | None = None


class UnsubscribeEvent(Event, frozen=True, gc=False):
    pass


class ScanEvent(Event, frozen=True, gc=False):
    """A follower scanned a QR code with a scene, which comes without prefix here."""

    scene: str
    ticket: str | None


class LocationEvent(Event, frozen=True, gc=False):
    """Where the phone is: degrees, ``precision`` in metres. Replies to it are ignored by WeChat."""

    latitude: float | None
    longitude: float | None
    precision: float | None
    datum: Datum


class ClickEvent(Event, frozen=True, gc=False):
    key: str


class ViewEvent(Event, frozen=True, gc=False):
    url: str
    menu_id: str


class ViewMiniprogramEvent(Event, frozen=True, gc=False):
    path: str
    menu_id: str


class ScanCodeEvent(Event, frozen=True, gc=False):
    """A menu button scanned a code; after ``waitmsg`` the person waits for our reply."""

    kind: Literal["push", "waitmsg"]
    key: str
    scan_type: str
    scan_result: str


class PictureEvent(Event, frozen=True, gc=False):
    """A menu button sent pictures; the pictures themselves follow as image messages."""

    kind: Literal["sysphoto", "photo_or_album", "weixin"]
    key: str
    count: int | None
    md5_sums: tuple[str, ...]


class LocationSelectEvent(Event, frozen=True, gc=False):
    """A menu button picked a place, which also follows as a location message."""

    key: str
    latitude: float | None
    longitude: float | None
    scale: int | None
    label: str
    poi_name: str
    datum: Datum


class TemplateSendFinished(Event, frozen=True, gc=False):
    """Fate of a template message.

    ``reason`` is empty, ``user_block``, ``system_failed`` or WeChat's own word.
    """

    sent_msg_id: int | None
    succeeded: bool
    reason: str


class MassSendFinished(Event, frozen=True, gc=False):
    """Fate of a mass message. ``error_code`` is the number of an ``err(30003)`` status."""

    sent_msg_id: int | None
    succeeded: bool
    status: str
    error_code: int | None
    total_count: int | None
    filter_count: int | None
    sent_count: int | None
    error_count: int | None
    article_urls: tuple[str, ...]


class SubscribeChoice(Struct, frozen=True, gc=False):
    """One template a person accepted or rejected; ``popup_scene`` 1 = H5 page, 2 = article."""

    template_id: str
    accepted: bool
    popup_scene: int | None


class SubscribePopupEvent(Event, frozen=True, gc=False):
    choices: tuple[SubscribeChoice, ...]


class SubscribeChangeEvent(Event, frozen=True, gc=False):
    """A person changed earlier choices in the settings; WeChat tells rejections only."""

    choices: tuple[SubscribeChoice, ...]


class SubscribeDelivery(Struct, frozen=True, gc=False):
    template_id: str
    sent_msg_id: int | None
    succeeded: bool
    error_code: int | None
    error_status: str


class SubscribeSentEvent(Event, frozen=True, gc=False):
    deliveries: tuple[SubscribeDelivery, ...]


class UserInfoModified(Event, frozen=True, gc=False):
    """A person changed what they had authorised; the profile must be read again or erased."""

    openid: str
    appid: str


class AuthorizationRevoked(Event, frozen=True, gc=False):
    """What must be erased, as codes.

    201 address, 202 invoice, 203 card, 204 microphone, 205 nickname and avatar, 206 location,
    207 pictures; a code not listed here is for the privacy officer.
    """

    openid: str
    appid: str
    revoke_info: tuple[str, ...]


class AuthorizationCancelled(Event, frozen=True, gc=False):
    """The person closed their account with us at WeChat: all of the profile must be erased."""

    openid: str
    appid: str


class KfSessionEvent(Event, frozen=True, gc=False):
    """An agent's session: who has it now and, after a switch, who had it before."""

    kind: Literal["created", "closed", "switched"]
    kf_account: str
    from_kf_account: str


class PublishFinished(Event, frozen=True, gc=False):
    """Fate of a published draft; ``publish_status`` 0 is published, others are not."""

    publish_id: str
    publish_status: int | None
    article_id: str
    article_urls: tuple[str, ...]
    fail_indexes: tuple[str, ...]


class UnknownEvent(Event, frozen=True, gc=False):
    """A kind this version does not know; ``event`` as sent, empty when missing."""

    event: str

"""Messages that people send: every kind, and what odd content becomes."""

import pytest

from o2o.wechat.codec import messages as m
from o2o.wechat.codec.errors import CallbackRefused
from o2o.wechat.codec.messages import parse_message
from tests.unit.wechat_codec.samples import (
    NOW,
    OPENID,
    ORIGINAL_ID,
    fields_of,
    message_of,
    refused,
)

MSG_ID = "<MsgId>4561255354251345929</MsgId>"


def test_the_header_is_common_and_nothing_is_lost() -> None:
    fields = fields_of(f"<Content>hi</Content>{MSG_ID}<BusinessId>1</BusinessId>", msg_type="text")
    message = parse_message(fields)
    assert message == m.TextMessage(
        to_user=ORIGINAL_ID,
        from_user=OPENID,
        created_at=NOW,
        msg_id=4561255354251345929,
        raw=fields,
        content="hi",
        menu_id=None,
    )
    assert message.raw["BusinessId"] == "1"
    assert isinstance(message, m.UserMessage)


def test_a_text_picked_from_a_menu_names_its_choice() -> None:
    inner = "<Content>满意</Content><bizmsgmenuid>101</bizmsgmenuid>"
    message = message_of(inner, msg_type="text")
    assert isinstance(message, m.TextMessage)
    assert (message.content, message.menu_id) == ("满意", "101")


def test_media_messages() -> None:
    image = message_of("<PicUrl>file:///etc</PicUrl><MediaId>m</MediaId>", msg_type="image")
    assert isinstance(image, m.ImageMessage)
    assert (image.pic_url, image.media_id) == ("file:///etc", "m")
    voice = message_of(
        "<MediaId>m</MediaId><Format>amr</Format><Recognition>你好</Recognition>", msg_type="voice"
    )
    assert isinstance(voice, m.VoiceMessage)
    assert (voice.media_id, voice.format, voice.recognition) == ("m", "amr", "你好")
    inner = "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>"
    video = message_of(inner, msg_type="video")
    assert isinstance(video, m.VideoMessage)
    assert (video.media_id, video.thumb_media_id) == ("m", "t")
    short = message_of(inner, msg_type="shortvideo")
    assert isinstance(short, m.ShortVideoMessage)
    assert (short.media_id, short.thumb_media_id) == ("m", "t")


def test_a_link_message() -> None:
    inner = "<Title>t</Title><Description>d</Description><Url>https://a.test/</Url>"
    link = message_of(inner, msg_type="link")
    assert isinstance(link, m.LinkMessage)
    assert (link.title, link.description, link.url) == ("t", "d", "https://a.test/")


def test_a_location_message_carries_its_datum() -> None:
    inner = (
        "<Location_X>23.134521</Location_X><Location_Y>-113.358803</Location_Y>"
        "<Scale>20</Scale><Label>位置信息</Label>"
    )
    place = message_of(inner, msg_type="location")
    assert isinstance(place, m.LocationMessage)
    assert (place.latitude, place.longitude) == (23.134521, -113.358803)
    assert (place.scale, place.label, place.datum) == (20, "位置信息", "gcj02")
    other = parse_message(fields_of(inner, msg_type="location"), message_datum="wgs84")
    assert isinstance(other, m.LocationMessage)
    assert other.datum == "wgs84"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "abc",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1_0",
        "２３",
        "0x10",
        "1,5",
        "1e",
        "--1",
        "91",
        "-90.1",
        "<b/>",
    ],
)
def test_an_unreadable_coordinate_is_none(number: str) -> None:
    inner = f"<Location_X>{number}</Location_X><Location_Y>113.3</Location_Y>"
    place = message_of(inner, msg_type="location")
    assert isinstance(place, m.LocationMessage)
    assert (place.latitude, place.longitude, place.scale) == (None, 113.3, None)


@pytest.mark.parametrize("msg_type", ["miniprogrampage", "device_text", "hologram", "x" * 5000])
def test_an_unknown_kind_is_kept_as_unknown(msg_type: str) -> None:
    message = message_of(f"<Content>x</Content>{MSG_ID}", msg_type=msg_type)
    assert isinstance(message, m.UnknownMessage)
    assert message.msg_type == msg_type
    assert message.msg_id == 4561255354251345929
    assert message.raw["Content"] == "x"


def test_the_kind_is_read_whatever_its_case() -> None:
    assert isinstance(message_of("<Content>x</Content>", msg_type="Text"), m.TextMessage)


@pytest.mark.parametrize(
    "text, created_at",
    [
        ("0", 0),
        ("-1", -1),
        ("1", 1),
        ("4102444800", 4_102_444_800),
        ("9223372036854775807", 9_223_372_036_854_775_807),
        ("9223372036854775808", 0),
        ("9" * 5000, 0),
        ("--1", 0),
        ("-", 0),
        ("1e3", 0),
        ("１２", 0),
        ("²", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_absurd_times_are_kept_and_unreadable_ones_are_zero(text: str, created_at: int) -> None:
    fields = fields_of("<Content>x</Content>", msg_type="text") | {"CreateTime": text}
    message = parse_message(fields)
    assert message.created_at == created_at
    assert message.raw["CreateTime"] == text


@pytest.mark.parametrize("msg_id", ["", "0", "-5", "abc", "9" * 40, "<a>1</a>", "１"])
def test_an_unusable_message_id_is_none(msg_id: str) -> None:
    assert message_of(f"<MsgId>{msg_id}</MsgId>", msg_type="text").msg_id is None


def test_missing_and_structured_texts_are_empty() -> None:
    empty = message_of("", msg_type="text")
    assert isinstance(empty, m.TextMessage)
    assert empty.content == ""
    nested = message_of("<Content><a>1</a></Content>", msg_type="text")
    assert isinstance(nested, m.TextMessage)
    assert nested.content == ""
    twice = message_of("<MediaId>a</MediaId><MediaId>b</MediaId>", msg_type="image")
    assert isinstance(twice, m.ImageMessage)
    assert (twice.media_id, twice.raw["MediaId"]) == ("", ["a", "b"])


@pytest.mark.parametrize("tag", ["FromUserName", "MsgType"])
@pytest.mark.parametrize("value", [None, "", ["a", "b"], {"a": "b"}])
def test_a_message_without_sender_or_kind_is_refused(tag: str, value: object) -> None:
    fields = fields_of("<Content>x</Content>", msg_type="text")
    fields = {key: old for key, old in fields.items() if key != tag}
    if value is not None:
        fields[tag] = value
    with pytest.raises(CallbackRefused) as error:
        parse_message(fields)
    assert refused(error) == ("wechat.xml_broken", 400)


def test_no_fields_at_all_are_refused() -> None:
    with pytest.raises(CallbackRefused) as error:
        parse_message({})
    assert refused(error) == ("wechat.xml_broken", 400)


def test_numbers_kept_as_json_are_read_again() -> None:
    fields = fields_of("<Content>x</Content>", msg_type="text")
    message = parse_message(fields | {"CreateTime": 1482048670, "MsgId": 1234567890123456})
    assert (message.created_at, message.msg_id) == (1_482_048_670, 1_234_567_890_123_456)
    assert parse_message(fields | {"MsgId": True}).msg_id is None

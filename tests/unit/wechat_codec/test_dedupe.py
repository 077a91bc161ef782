"""Identity of messages: retries are one, different events of one second are two."""

from typing import Any

import pytest

from o2o.wechat.codec.dedupe import body_hash, message_key
from o2o.wechat.codec.messages import parse_message
from o2o.wechat.codec.xml import parse_xml
from tests.unit.wechat_codec.samples import NOW, OPENID, ORIGINAL_ID, TEXT_XML

SCAN = (
    f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>"
    f"<FromUserName><![CDATA[{OPENID}]]></FromUserName><CreateTime>{NOW}</CreateTime>"
    "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[SCAN]]></Event>"
    "<EventKey><![CDATA[table_7]]></EventKey><Ticket><![CDATA[T]]></Ticket></xml>"
)
SENT = (
    f"<xml><ToUserName>{ORIGINAL_ID}</ToUserName><FromUserName>{OPENID}</FromUserName>"
    f"<CreateTime>{NOW}</CreateTime><MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event>"
    "<MsgID>1</MsgID><Status>success</Status></xml>"
)
POPUP = (
    f"<xml><ToUserName>{ORIGINAL_ID}</ToUserName><FromUserName>{OPENID}</FromUserName>"
    f"<CreateTime>{NOW}</CreateTime><MsgType>event</MsgType>"
    "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>"
    "<List><TemplateId>a</TemplateId></List><List><TemplateId>b</TemplateId></List>"
    "</SubscribeMsgPopupEvent></xml>"
)


def key_of(xml: str | bytes) -> bytes:
    return message_key(parse_message(parse_xml(xml if isinstance(xml, bytes) else xml.encode())))


@pytest.mark.parametrize("xml", [TEXT_XML.decode(), SCAN, SENT, POPUP])
def test_a_retry_has_the_same_key_however_it_is_written(xml: str) -> None:
    key = key_of(xml)
    assert len(key) == 32
    assert key_of(xml.replace("><", ">\n\t<")) == key
    assert key_of(xml.replace("<![CDATA[", "").replace("]]>", "")) == key
    assert key_of('<?xml version="1.0"?>\n' + xml) == key
    # As compatible mode repeats it: with another encryption beside the same fields.
    assert key_of(xml.replace("<xml>", "<xml><Encrypt>AAAA</Encrypt>")) == key
    assert key_of(xml.replace("<xml>", "<xml><Encrypt>BBBB</Encrypt>")) == key


def test_the_order_of_fields_does_not_count() -> None:
    ticket = "<Ticket><![CDATA[T]]></Ticket>"
    moved = SCAN.replace(ticket, "").replace("<xml>", f"<xml>{ticket}")
    assert moved != SCAN
    assert key_of(moved) == key_of(SCAN)


@pytest.mark.parametrize(
    "xml, old, new",
    [
        (SCAN, OPENID, "o-somebody-else"),
        (SCAN, str(NOW), str(NOW + 1)),
        (SCAN, "SCAN", "subscribe"),
        (SCAN, "table_7", "table_8"),
        (SCAN, "[T]", "[U]"),
        (SCAN, "<Ticket>", "<MenuId>1</MenuId><Ticket>"),
        (SCAN, ORIGINAL_ID, "gh_another"),
        (SENT, "<MsgID>1<", "<MsgID>2<"),
        (SENT, "success", "failed:user block"),
        (POPUP, "<TemplateId>b<", "<TemplateId>c<"),
        (POPUP, "<List><TemplateId>b</TemplateId></List>", ""),
    ],
)
def test_another_event_has_another_key(xml: str, old: str, new: str) -> None:
    changed = xml.replace(old, new)
    assert changed != xml
    assert key_of(changed) != key_of(xml)


def test_two_events_of_one_second_have_two_keys() -> None:
    assert len({key_of(SCAN), key_of(SENT), key_of(POPUP), key_of(TEXT_XML)}) == 4


def test_a_message_is_known_by_its_id_within_its_account() -> None:
    text = TEXT_XML.decode()
    other_body = text.replace("排队 2人", "取消")
    assert key_of(other_body) == key_of(text)
    assert body_hash(parse_xml(other_body.encode())) != body_hash(parse_xml(TEXT_XML))
    assert key_of(text.replace("4561255354251345929", "4561255354251345930")) != key_of(text)
    assert key_of(text.replace(ORIGINAL_ID, "gh_another")) != key_of(text)


def test_messages_without_a_usable_id_are_known_by_their_content() -> None:
    text = TEXT_XML.decode().replace("4561255354251345929", "0")
    assert key_of(text) == key_of(text)
    assert key_of(text) != key_of(text.replace("排队 2人", "取消"))
    assert key_of(text) != key_of(TEXT_XML)


def test_the_hash_keeps_values_apart() -> None:
    fields: list[dict[str, Any]] = [
        {"a": "1", "b": "2"},
        {"a": "12", "b": ""},
        {"a": ["1"]},
        {"a": {"b": "1"}},
        {},
    ]
    assert len({body_hash(each) for each in fields}) == len(fields)
    assert body_hash({"a": "1", "b": "2"}) == body_hash({"b": "2", "a": "1"})
    assert body_hash({"a": {"x": "1", "y": "2"}}) == body_hash({"a": {"y": "2", "x": "1"}})

"""Customer-service messages: what they may hold, and the windows in which they may be sent."""

from typing import Any

import pytest

from tests.contract.sandbox.conftest import Shop

SEND = "/cgi-bin/message/custom/send"
TYPING = "/cgi-bin/message/custom/typing"


def text(shop: Shop, **changes: Any) -> dict[str, Any]:
    return {"touser": shop.openid, "msgtype": "text", "text": {"content": "您好"}} | changes


def codes(shop: Shop, count: int) -> list[int]:
    return [shop.call(SEND, text(shop))["errcode"] for _ in range(count)]


def advance(shop: Shop, seconds: float) -> None:
    shop.http.post("/_sandbox/clock", json={"advance_seconds": seconds}).raise_for_status()


def customs_in(shop: Shop) -> list[dict[str, Any]]:
    return [m for m in shop.chat() if m["kind"] == "custom"]


def test_following_allows_three_for_a_minute(shop: Shop) -> None:
    assert codes(shop, 1) == [45015]
    shop.follow()
    assert codes(shop, 4) == [0, 0, 0, 45047]
    advance(shop, 61)
    refused = shop.call(SEND, text(shop))
    assert refused["errmsg"].startswith("response out of time limit or subscription is canceled")
    assert refused["errcode"] == 45015
    assert [m["content"] for m in customs_in(shop)] == ["您好"] * 3


def test_a_message_allows_five_for_two_days_and_the_next_one_five_more(shop: Shop) -> None:
    shop.follow()
    advance(shop, 61)
    shop.send(type="text", content="在吗")
    assert codes(shop, 6) == [0] * 5 + [45047]
    shop.send(type="text", content="还在吗")
    advance(shop, 48 * 3600 - 5)
    assert codes(shop, 1) == [0]
    advance(shop, 10)
    assert codes(shop, 1) == [45015]


def test_a_tap_on_a_key_counts_and_a_tap_on_a_link_does_not(shop: Shop) -> None:
    shop.follow()
    advance(shop, 61)
    shop.send(type="event", event="VIEW", event_key="http://example.com")
    assert codes(shop, 1) == [45015]
    shop.send(type="event", event="CLICK", event_key="K")
    assert codes(shop, 4) == [0, 0, 0, 45047]
    shop.follow(scene="7")
    assert codes(shop, 4) == [0, 0, 0, 45047]


def test_unfollowing_closes_every_window(shop: Shop) -> None:
    shop.follow()
    shop.send(type="text", content="在吗")
    shop.unfollow()
    assert codes(shop, 1) == [45015]
    shop.follow()
    assert codes(shop, 4) == [0, 0, 0, 45047]


def test_the_same_client_msg_id_is_shown_once_and_spends_one(shop: Shop) -> None:
    shop.follow()
    body = text(shop, client_msg_id="a")
    assert [shop.call(SEND, body)["errcode"] for _ in range(6)] == [0] * 6
    assert len(customs_in(shop)) == 1
    assert codes(shop, 3) == [0, 0, 45047]


@pytest.mark.parametrize(
    "body,shown",
    [
        ({"msgtype": "image", "image": {"media_id": "m"}}, {"type": "image", "media_id": "m"}),
        ({"msgtype": "voice", "voice": {"media_id": "m"}}, {"type": "voice", "media_id": "m"}),
        (
            {"msgtype": "video", "video": {"media_id": "m", "title": "t"}},
            {"type": "video", "media_id": "m", "title": "t"},
        ),
        (
            {"msgtype": "music", "music": {"musicurl": "u", "thumb_media_id": "m"}},
            {"type": "music", "url": "u", "thumb_media_id": "m"},
        ),
        (
            {"msgtype": "news", "news": {"articles": [{"title": "t", "url": "u", "picurl": "p"}]}},
            {"articles": [{"title": "t", "description": "", "url": "u", "pic_url": "p"}]},
        ),
        (
            {"msgtype": "mpnewsarticle", "mpnewsarticle": {"article_id": "a"}},
            {"article_id": "a"},
        ),
        (
            {"msgtype": "msgmenu", "msgmenu": {"list": [{"id": "1", "content": "满意"}]}},
            {"list": [{"id": "1", "content": "满意"}], "head_content": ""},
        ),
    ],
)
def test_kinds(shop: Shop, body: dict[str, Any], shown: dict[str, Any]) -> None:
    shop.follow()
    assert shop.call(SEND, {"touser": shop.openid, **body})["errcode"] == 0
    (seen,) = customs_in(shop)
    assert seen["type"] == body["msgtype"]
    assert shown.items() <= seen.items()


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"touser": "oStranger"}, 40003),
        ({"msgtype": "shout"}, 40008),
        ({"msgtype": None}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"text": {"content": 5}}, 47001),
        ({"text": "x"}, 47001),
        ({"text": {"content": "字" * 683}}, 45002),
        ({"msgtype": "image", "image": {}}, 40007),
        ({"msgtype": "news", "news": {"articles": [{}, {}]}}, 45008),
        ({"msgtype": "news", "news": {"articles": []}}, 44003),
    ],
)
def test_refusals_show_nothing_and_spend_nothing(
    shop: Shop, changes: dict[str, Any], code: int
) -> None:
    shop.follow()
    assert shop.call(SEND, text(shop, **changes))["errcode"] == code
    assert customs_in(shop) == []
    assert codes(shop, 4) == [0, 0, 0, 45047]


def test_typing(shop: Shop) -> None:
    body = {"touser": shop.openid, "command": "Typing"}
    assert shop.call(TYPING, body)["errcode"] == 45080
    shop.follow()
    assert shop.call(TYPING, body | {"command": "Jump"})["errcode"] == 45072
    assert shop.call(TYPING, body)["errcode"] == 0
    assert shop.call(TYPING, body)["errcode"] == 45081
    assert shop.call(TYPING, body | {"command": "CancelTyping"})["errcode"] == 0
    assert shop.call(TYPING, body)["errcode"] == 0
    advance(shop, 31)
    assert shop.call(TYPING, body)["errcode"] == 45080

"""Every kind of passive reply as the chat shows it, and the limits on each."""

from typing import Any

import pytest

from wechat_sandbox import wire_xml
from wechat_sandbox.accounts import Account
from wechat_sandbox.replies import BadReply, read_reply

OPENID = "oFan"
ACCOUNT = Account(
    slug="a",
    appid="wx0",
    original_id="gh_0",
    secret="s",
    token="t",
    encoding_aes_key="A" * 43,
    mode="plain",
    callback_url=None,
    name="a",
    brand=None,
    unionid_group="",
    oauth_domain=None,
    qr_token="q",
)


def read(trigger: str = "text", **fields: Any) -> dict[str, Any] | None:
    head = {"ToUserName": OPENID, "FromUserName": "gh_0", "CreateTime": 1}
    body = wire_xml.build(head | fields).encode()
    return read_reply(ACCOUNT, openid=OPENID, trigger=trigger, body=body)


def articles(count: int) -> dict[str, Any]:
    item = {"Title": "t", "Description": "d", "PicUrl": "p", "Url": "u"}
    return {"MsgType": "news", "ArticleCount": count, "Articles": {"item": item} if count else ""}


@pytest.mark.parametrize(
    "fields,shown",
    [
        ({"MsgType": "text", "Content": "好"}, {"type": "text", "content": "好"}),
        (
            {"MsgType": "image", "Image": {"MediaId": "m"}},
            {"type": "image", "media_id": "m"},
        ),
        (
            {"MsgType": "voice", "Voice": {"MediaId": "m"}},
            {"type": "voice", "media_id": "m"},
        ),
        (
            {"MsgType": "video", "Video": {"MediaId": "m", "Title": "t", "Description": "d"}},
            {"type": "video", "media_id": "m", "title": "t", "description": "d"},
        ),
        (
            {"MsgType": "music", "Music": {"MusicUrl": "u", "ThumbMediaId": "m"}},
            {
                "type": "music",
                "title": "",
                "description": "",
                "url": "u",
                "hq_url": "",
                "thumb_media_id": "m",
            },
        ),
        (
            articles(1),
            {
                "type": "news",
                "articles": [{"title": "t", "description": "d", "pic_url": "p", "url": "u"}],
            },
        ),
        (
            {"MsgType": "transfer_customer_service"},
            {"type": "transfer_customer_service", "kf_account": ""},
        ),
        (
            {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "k@a"}},
            {"type": "transfer_customer_service", "kf_account": "k@a"},
        ),
    ],
)
def test_kinds(fields: dict[str, Any], shown: dict[str, Any]) -> None:
    assert read(**fields) == shown


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MsgType": "shout"},
        {"MsgType": "text"},
        {"MsgType": "text", "Content": ""},
        {"MsgType": "text", "Content": "字" * 683},
        {"MsgType": "image"},
        {"MsgType": "image", "Image": "m"},
        {"MsgType": "image", "Image": {"MediaId": ""}},
        {"MsgType": "music", "Music": {"MusicUrl": "u"}},
        {"MsgType": "text", "Content": "x", "ToUserName": "oOther"},
        {"MsgType": "text", "Content": "x", "FromUserName": "gh_1"},
        {"MsgType": "text", "Content": "x", "CreateTime": "now"},
        articles(0),
        articles(1) | {"ArticleCount": 2},
    ],
)
def test_replies_that_cannot_be_shown(fields: dict[str, Any]) -> None:
    with pytest.raises(BadReply):
        read(**fields)


def many() -> bytes:
    items = "".join(f"<item><Title>{number}</Title></item>" for number in range(10))
    return (
        f"<xml><ToUserName>{OPENID}</ToUserName><FromUserName>gh_0</FromUserName>"
        "<CreateTime>1</CreateTime><MsgType>news</MsgType><ArticleCount>10</ArticleCount>"
        f"<Articles>{items}</Articles></xml>"
    ).encode()


@pytest.mark.parametrize("trigger,count", [("text", 1), ("location", 1), ("CLICK", 8)])
def test_how_many_articles_are_shown(trigger: str, count: int) -> None:
    reply = read_reply(ACCOUNT, openid=OPENID, trigger=trigger, body=many())
    assert reply is not None
    assert [one["title"] for one in reply["articles"]] == [str(n) for n in range(count)]


def test_what_is_answered_to_a_position_is_ignored() -> None:
    assert read("LOCATION", MsgType="text", Content="x") is None
    assert read("unsubscribe", MsgType="text", Content="x") is None
    with pytest.raises(BadReply):
        read("CLICK", MsgType="transfer_customer_service")

"""Replies: the XML they become, what is refused, and the forms they are stored and pushed in."""

from typing import Any

import pytest

from o2o.wechat.codec import replies as r
from o2o.wechat.codec.xml import parse_xml
from tests.unit.wechat_codec.samples import NOW, OPENID, ORIGINAL_ID

ARTICLE = r.NewsArticle(
    title="T", description="D", pic_url="https://a.test/p", url="https://a.test/"
)
VIDEO = r.VideoReply("m", title="t", description="d", thumb_media_id="th")
MUSIC = r.MusicReply("th", title="t", description="d", music_url="u", hq_music_url="h")
ALL = [
    r.NO_REPLY,
    r.TextReply("您好]]>"),
    r.ImageReply("m"),
    r.VoiceReply("m"),
    VIDEO,
    MUSIC,
    r.NewsReply((ARTICLE,)),
    r.TransferToAgentReply(),
    r.TransferToAgentReply("agent@wx"),
]


def render(reply: r.AnyReply, *, answers_message: bool = True) -> bytes:
    return r.render_reply(
        reply,
        to_user=OPENID,
        from_user=ORIGINAL_ID,
        created_at=NOW,
        answers_message=answers_message,
    )


def fields(reply: r.AnyReply, *, answers_message: bool = True) -> dict[str, Any]:
    """The rendered fields, without the header, which is the same in all."""
    found = parse_xml(render(reply, answers_message=answers_message))
    assert found.pop("ToUserName") == OPENID
    assert found.pop("FromUserName") == ORIGINAL_ID
    assert found.pop("CreateTime") == str(NOW)
    return found


def test_the_xml_of_a_text_is_byte_for_byte() -> None:
    assert (
        render(r.TextReply("您好"))
        == (
            f"<xml><ToUserName><![CDATA[{OPENID}]]></ToUserName>"
            f"<FromUserName><![CDATA[{ORIGINAL_ID}]]></FromUserName>"
            f"<CreateTime>{NOW}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            "<Content><![CDATA[您好]]></Content></xml>"
        ).encode()
    )


@pytest.mark.parametrize(
    "content, shown",
    [
        ("]]>", "]]>"),
        ("a]]]]>>b", "a]]]]>>b"),
        ("]]></Content><MsgType>image</MsgType>", "]]></Content><MsgType>image</MsgType>"),
        ("<a href='https://a.test/?a=1&b=2'>x</a>", "<a href='https://a.test/?a=1&b=2'>x</a>"),
        ("a\x00b\x08c\x0bd\x0ce\x1ff\ufffeg\uffffh\ud800i", "abcdefghi"),
        ("]\x00]\x01>", "]]>"),
        ("tab\tline\n", "tab\tline\n"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
    ],
)
def test_no_text_leaves_its_element(content: str, shown: str) -> None:
    assert fields(r.TextReply(content)) == {"MsgType": "text", "Content": shown}


@pytest.mark.parametrize(
    "content, kept",
    [
        ("x" * 2048, "x" * 2048),
        ("x" * 2049, "x" * 2048),
        ("排" * 683, "排" * 682),
        ("x" + "排" * 683, "x" + "排" * 682),
        ("xx" + "排" * 683, "xx" + "排" * 682),
        ("😀" * 513, "😀" * 512),
        ("\x00" * 100 + "x" * 2048, "x" * 2048),
    ],
)
def test_long_text_is_cut_on_the_border_of_a_character(content: str, kept: str) -> None:
    assert fields(r.TextReply(content))["Content"] == kept
    assert r.as_custom_message(r.TextReply(content)) == {
        "msgtype": "text",
        "text": {"content": kept},
    }


@pytest.mark.parametrize("reply", [r.NO_REPLY, *map(r.TextReply, ["", " \n", "\x00\x01"])])
def test_nothing_to_say_is_success(reply: r.AnyReply) -> None:
    assert render(reply) == b"success"
    assert r.as_custom_message(reply) is None


def test_media_replies() -> None:
    assert fields(r.ImageReply("m")) == {"MsgType": "image", "Image": {"MediaId": "m"}}
    assert fields(r.VoiceReply("m")) == {"MsgType": "voice", "Voice": {"MediaId": "m"}}
    assert fields(VIDEO) == {
        "MsgType": "video",
        "Video": {"MediaId": "m", "Title": "t", "Description": "d"},
    }
    assert fields(r.VideoReply("m")) == {"MsgType": "video", "Video": {"MediaId": "m"}}


def test_a_music_reply() -> None:
    assert fields(MUSIC) == {
        "MsgType": "music",
        "Music": {
            "Title": "t",
            "Description": "d",
            "MusicUrl": "u",
            "HQMusicUrl": "h",
            "ThumbMediaId": "th",
        },
    }
    assert fields(r.MusicReply("th"))["Music"] == {"ThumbMediaId": "th"}


@pytest.mark.parametrize("reply", [r.ImageReply(""), r.VoiceReply(""), r.VideoReply("")])
def test_media_without_its_id_is_refused(reply: r.AnyReply) -> None:
    with pytest.raises(ValueError, match="MediaId is required"):
        render(reply)


def test_music_without_its_thumb_is_refused() -> None:
    with pytest.raises(ValueError, match="ThumbMediaId is required"):
        render(r.MusicReply("", title="t", music_url="u"))


def test_one_article_answers_a_message() -> None:
    item = {"Title": "T", "Description": "D", "PicUrl": "https://a.test/p"}
    assert fields(r.NewsReply((ARTICLE,))) == {
        "MsgType": "news",
        "ArticleCount": "1",
        "Articles": {"item": item | {"Url": "https://a.test/"}},
    }
    with pytest.raises(ValueError, match="2 articles, 1 to 1"):
        render(r.NewsReply((ARTICLE, ARTICLE)))


def test_up_to_eight_articles_answer_an_event() -> None:
    shown = fields(r.NewsReply((ARTICLE,) * 8), answers_message=False)
    assert shown["ArticleCount"] == "8"
    assert len(shown["Articles"]["item"]) == 8
    with pytest.raises(ValueError, match="9 articles, 1 to 8"):
        render(r.NewsReply((ARTICLE,) * 9), answers_message=False)


@pytest.mark.parametrize("answers_message", [True, False])
def test_no_articles_are_refused(answers_message: bool) -> None:
    with pytest.raises(ValueError, match="0 articles"):
        render(r.NewsReply(()), answers_message=answers_message)


def test_only_messages_are_handed_to_agents() -> None:
    kind = {"MsgType": "transfer_customer_service"}
    assert fields(r.TransferToAgentReply()) == kind
    named = fields(r.TransferToAgentReply("agent@wx"))
    assert named == kind | {"TransInfo": {"KfAccount": "agent@wx"}}
    with pytest.raises(ValueError, match="only a person's message"):
        render(r.TransferToAgentReply(), answers_message=False)


@pytest.mark.parametrize("reply", ALL)
def test_a_stored_reply_is_read_back_equal(reply: r.AnyReply) -> None:
    stored = r.reply_to_json(reply)
    assert r.reply_from_json(stored) == reply
    assert r.reply_from_json(stored.decode()) == reply


@pytest.mark.parametrize(
    "data", [b"", b"null", b"{}", b'{"type":"text"}', b'{"type":"poem","content":"x"}', b"\xff"]
)
def test_anything_else_is_no_stored_reply(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored reply"):
        r.reply_from_json(data)


@pytest.mark.parametrize(
    "reply, expected",
    [
        (r.ImageReply("m"), {"msgtype": "image", "image": {"media_id": "m"}}),
        (r.VoiceReply("m"), {"msgtype": "voice", "voice": {"media_id": "m"}}),
        (r.VideoReply("m"), {"msgtype": "video", "video": {"media_id": "m"}}),
        (
            VIDEO,
            {
                "msgtype": "video",
                "video": {
                    "media_id": "m",
                    "thumb_media_id": "th",
                    "title": "t",
                    "description": "d",
                },
            },
        ),
        (
            MUSIC,
            {
                "msgtype": "music",
                "music": {
                    "title": "t",
                    "description": "d",
                    "musicurl": "u",
                    "hqmusicurl": "h",
                    "thumb_media_id": "th",
                },
            },
        ),
        (
            r.NewsReply((ARTICLE,)),
            {
                "msgtype": "news",
                "news": {
                    "articles": [
                        {
                            "title": "T",
                            "description": "D",
                            "url": "https://a.test/",
                            "picurl": "https://a.test/p",
                        }
                    ]
                },
            },
        ),
        (r.NewsReply((ARTICLE, ARTICLE)), None),
        (r.TransferToAgentReply("agent@wx"), None),
    ],
)
def test_the_same_content_as_a_customer_service_message(
    reply: r.AnyReply, expected: dict[str, Any] | None
) -> None:
    assert r.as_custom_message(reply) == expected


def test_cdata_in_a_header_cannot_break_out() -> None:
    xml = r.render_reply(r.TextReply("x"), to_user="a]]><b>", from_user="\x00c", created_at=NOW)
    assert parse_xml(xml)["ToUserName"] == "a]]><b>"
    assert parse_xml(xml)["FromUserName"] == "c"

"""The codec against wechatpy as an oracle, and against whatever Hypothesis makes of a request."""

from collections.abc import Callable
from typing import Any, Final

import pytest
import wechatpy
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.client.api.jsapi import WeChatJSAPI
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import deserialize_reply
from wechatpy.utils import WeChatSigner

from o2o.wechat.codec import messages as m
from o2o.wechat.codec import replies as r
from o2o.wechat.codec.dedupe import message_key
from o2o.wechat.codec.envelope import AccountKeys, Query, open_envelope, parse_query, seal_reply
from o2o.wechat.codec.errors import CallbackRefused
from o2o.wechat.codec.messages import parse_message
from o2o.wechat.codec.signature import is_signed, jsapi_signature, sign
from o2o.wechat.codec.xml import parse_outer, parse_xml

NOW: Final = 1_700_000_000
APPID: Final = "wx0123456789abcdef"
ORIGINAL_ID: Final = "gh_0123456789ab"
TOKEN: Final = "token0of0the0tests"
AES_KEY: Final = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ACCOUNT: Final = AccountKeys(APPID, ORIGINAL_ID, TOKEN, encoding_aes_key=AES_KEY, mode="safe")
ORACLE: Final = WeChatCrypto(TOKEN, AES_KEY, APPID)

ILLEGAL: Final = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]))
# Carriage returns are left out: every XML parser turns them into line feeds.
legal_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=ILLEGAL + "\r"))
any_text = st.text(st.characters(exclude_categories=["Cs"]))
nonces = st.text("0123456789abcdef", min_size=1, max_size=16)
words = st.text("abcXYZ0189_-", min_size=1, max_size=12)
tags = st.sampled_from(["a", "b", "item", "List", "Content", "MsgID"])


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def message_xml(fields: dict[str, str]) -> str:
    head = {"ToUserName": ORIGINAL_ID, "FromUserName": "o-fan", "CreateTime": str(NOW)}
    return f"<xml>{''.join(f'<{k}>{cdata(v)}</{k}>' for k, v in (head | fields).items())}</xml>"


@given(st.lists(legal_text, min_size=1, max_size=5))
def test_signatures_are_those_of_the_oracle(parts: list[str]) -> None:
    signer = WeChatSigner()
    signer.add_data(*parts)
    assert sign(*parts) == signer.signature
    assert is_signed(signer.signature, *parts) == bool(parts[0])


@given(ticket=words, nonce=nonces, timestamp=st.integers(0, 1 << 40), path=words)
def test_jsapi_signatures_are_those_of_the_oracle(
    ticket: str, nonce: str, timestamp: int, path: str
) -> None:
    url = f"https://a.test/{path}?x=1"
    expected = WeChatJSAPI(None).get_jsapi_signature(nonce, ticket, timestamp, url)
    assert jsapi_signature(ticket, nonce, timestamp, url=url) == expected


@given(text=legal_text, nonce=nonces)
def test_the_oracle_reads_what_we_seal(text: str, nonce: str) -> None:
    reply = r.render_reply(
        r.ImageReply("m" + text), to_user="o", from_user=ORIGINAL_ID, created_at=NOW
    )
    sealed = seal_reply(ACCOUNT, reply, timestamp=NOW, nonce=nonce)
    signature = parse_xml(sealed)["MsgSignature"]
    assert ORACLE.decrypt_message(sealed, signature, str(NOW), nonce) == reply.decode()


@given(text=legal_text, nonce=nonces)
def test_we_open_what_the_oracle_encrypts(text: str, nonce: str) -> None:
    inner = message_xml({"MsgType": "text", "Content": text})
    body = ORACLE.encrypt_message(inner, nonce, str(NOW)).encode()
    query = Query(timestamp=str(NOW), nonce=nonce, msg_signature=parse_xml(body)["MsgSignature"])
    fields = open_envelope(ACCOUNT, query=query, body=body, now=NOW)
    assert fields == parse_xml(inner.encode())
    assert fields["Content"] == text


def stripped(text: str) -> str | None:
    """As the oracle shows a text, which loses the spaces around it."""
    return text.strip() or None


@given(content=legal_text, msg_id=st.integers(1, (1 << 63) - 1))
def test_a_text_is_what_the_oracle_reads(content: str, msg_id: int) -> None:
    xml = message_xml({"MsgType": "text", "Content": content, "MsgId": str(msg_id)})
    oracle, ours = wechatpy.parse_message(xml), parse_message(parse_xml(xml.encode()))
    assert isinstance(ours, m.TextMessage)
    assert ours.content == content
    assert (stripped(ours.content), ours.msg_id) == (oracle.content, oracle.id)
    assert (ours.from_user, ours.to_user) == (oracle.source, oracle.target)
    assert ours.created_at == oracle.time


MEDIA: Final = {
    "image": {"MediaId": ("media_id", "media_id"), "PicUrl": ("pic_url", "image")},
    "voice": {
        "MediaId": ("media_id", "media_id"),
        "Format": ("format", "format"),
        "Recognition": ("recognition", "recognition"),
    },
    "video": {
        "MediaId": ("media_id", "media_id"),
        "ThumbMediaId": ("thumb_media_id", "thumb_media_id"),
    },
    "shortvideo": {
        "MediaId": ("media_id", "media_id"),
        "ThumbMediaId": ("thumb_media_id", "thumb_media_id"),
    },
    "link": {
        "Title": ("title", "title"),
        "Description": ("description", "description"),
        "Url": ("url", "url"),
    },
    "location": {"Label": ("label", "label")},
}
EVENTS: Final = {
    "SCAN": {"EventKey": ("scene", "scene_id"), "Ticket": ("ticket", "ticket")},
    "CLICK": {"EventKey": ("key", "key")},
    "VIEW": {"EventKey": ("url", "url")},
    "kf_create_session": {"KfAccount": ("kf_account", "account")},
    "kf_close_session": {"KfAccount": ("kf_account", "account")},
    "kf_switch_session": {
        "FromKfAccount": ("from_kf_account", "from_account"),
        "ToKfAccount": ("kf_account", "to_account"),
    },
}


@given(data=st.data(), kind=st.sampled_from([*MEDIA, *EVENTS]))
def test_texts_of_other_kinds_are_what_the_oracle_reads(data: st.DataObject, kind: str) -> None:
    names = MEDIA.get(kind) or EVENTS[kind]
    values = {tag: data.draw(legal_text) for tag in names}
    head = {"MsgType": kind} if kind in MEDIA else {"MsgType": "event", "Event": kind}
    xml = message_xml(head | values)
    oracle, ours = wechatpy.parse_message(xml), parse_message(parse_xml(xml.encode()))
    for our_name, oracle_name in names.values():
        assert (getattr(ours, our_name) or None) == getattr(oracle, oracle_name)


@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
def test_positions_are_what_the_oracle_reads(latitude: float, longitude: float) -> None:
    values = {"Latitude": f"{latitude:.6f}", "Longitude": f"{longitude:.6f}", "Precision": "1.5"}
    xml = message_xml({"MsgType": "event", "Event": "LOCATION"} | values)
    oracle, ours = wechatpy.parse_message(xml), parse_message(parse_xml(xml.encode()))
    assert isinstance(ours, m.LocationEvent)
    assert (ours.latitude, ours.longitude) == (oracle.latitude, oracle.longitude)
    assert ours.precision == oracle.precision == 1.5


@given(scene=words)
def test_scenes_are_what_the_oracle_reads(scene: str) -> None:
    fields = {"MsgType": "event", "Event": "subscribe", "EventKey": f"qrscene_{scene}"}
    xml = message_xml(fields | {"Ticket": "T"})
    oracle, ours = wechatpy.parse_message(xml), parse_message(parse_xml(xml.encode()))
    assert isinstance(ours, m.SubscribeEvent)
    assert (ours.scene, ours.ticket) == (oracle.scene_id, oracle.ticket)


@given(any_text)
def test_a_text_reply_shows_the_longest_beginning_that_fits(content: str) -> None:
    rendered = r.render_reply(
        r.TextReply("x" + content), to_user="o", from_user="g", created_at=NOW
    )
    shown = parse_xml(rendered)["Content"]
    legal = "x" + "".join(c for c in content if c not in ILLEGAL)
    legal = legal.replace("\r\n", "\n").replace("\r", "\n")
    assert legal.startswith(shown)
    assert shown == legal or len(shown.encode()) > 2048 - 4 - content.count("\r")


@given(texts=st.lists(legal_text.map(str.strip).filter(bool), min_size=8, max_size=8))
def test_the_oracle_reads_our_news(texts: list[str]) -> None:
    articles = (r.NewsArticle(*texts[:4]), r.NewsArticle(*texts[4:]))
    xml = r.render_reply(
        r.NewsReply(articles), to_user="o", from_user="g", created_at=NOW, answers_message=False
    )
    read = deserialize_reply(xml.decode())
    assert [(a["title"], a["description"], a["image"], a["url"]) for a in read.articles] == [
        tuple(texts[:4]),
        tuple(texts[4:]),
    ]


@given(texts=st.lists(legal_text.map(str.strip).filter(bool), min_size=5, max_size=5))
def test_the_oracle_reads_our_media(texts: list[str]) -> None:
    thumb, title, description, url, hq_url = texts
    reply = r.MusicReply(
        thumb, title=title, description=description, music_url=url, hq_music_url=hq_url
    )
    xml = r.render_reply(reply, to_user="o", from_user="g", created_at=NOW)
    assert deserialize_reply(xml.decode()).music == {
        "thumb_media_id": thumb,
        "title": title,
        "description": description,
        "music_url": url,
        "hq_music_url": hq_url,
    }
    video = r.VideoReply(thumb, title=title, description=description)
    xml = r.render_reply(video, to_user="o", from_user="g", created_at=NOW)
    read = deserialize_reply(xml.decode())
    assert (read.media_id, read.title, read.description) == (thumb, title, description)


leaves = legal_text.map(str.strip)
trees = st.recursive(
    leaves,
    lambda inner: st.dictionaries(tags, inner, min_size=1, max_size=4),
    max_leaves=12,
)


def depth_of(tree: object) -> int:
    return 1 + max(map(depth_of, tree.values()), default=0) if isinstance(tree, dict) else 1


def written(tree: Any) -> str:
    if isinstance(tree, dict):
        return "".join(f"<{tag}>\n {written(inner)} </{tag}>" for tag, inner in tree.items())
    return cdata(tree)


@given(st.dictionaries(tags, trees, max_size=5).filter(lambda tree: depth_of(tree) <= 8))
def test_every_tree_is_read_back(tree: dict[str, Any]) -> None:
    body = f"<xml>{written(tree)}</xml>".encode()
    assert parse_xml(body) == tree
    assert parse_outer(body) == tree


@given(st.lists(leaves, min_size=2, max_size=6), tags.filter(lambda tag: tag != "Content"))
def test_repeated_elements_keep_their_order(values: list[str], tag: str) -> None:
    body = "".join(f"<{tag}>{cdata(value)}</{tag}>" for value in values)
    assert parse_xml(f"<xml>{body}</xml>".encode()) == {tag: values}


def status_of(read: Callable[[bytes], object], data: bytes) -> int:
    """200 when read, else the status of the refusal; any other exception is the test's failure."""
    try:
        read(data)
    except CallbackRefused as refusal:
        return refusal.status
    return 200


def opened_or_refused(query: Query, body: bytes) -> dict[str, Any] | None:
    try:
        return open_envelope(ACCOUNT, query=query, body=body, now=NOW)
    except CallbackRefused:
        return None


@given(data=st.data())
def test_a_spoiled_request_is_refused_or_means_the_same(data: st.DataObject) -> None:
    inner = message_xml({"MsgType": "text", "Content": "hello", "MsgId": "1"})
    body = ORACLE.encrypt_message(inner, "7", str(NOW)).encode()
    query = Query(timestamp=str(NOW), nonce="7", msg_signature=parse_xml(body)["MsgSignature"])
    whole = opened_or_refused(query, body)
    assert whole is not None
    position = data.draw(st.integers(0, len(body) - 1))
    cut = data.draw(st.integers(0, 3))
    spoiled = body[:position] + data.draw(st.binary(max_size=3)) + body[position + cut :]
    assert opened_or_refused(query, spoiled) in (None, whole)


@given(st.binary() | st.binary().map(lambda junk: b"<xml><a>" + junk + b"</a></xml>"))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert status_of(parse_xml, body) in {200, 400, 413}
    assert status_of(parse_outer, body) == status_of(parse_xml, body)


@given(st.binary(max_size=200))
def test_any_ciphertext_is_refused_alike(data: bytes) -> None:
    assert ACCOUNT.cipher is not None
    with pytest.raises(CallbackRefused) as error:
        ACCOUNT.cipher.decrypt(data)
    assert error.value.status == 403


@given(st.binary())
def test_any_query_string_is_read_or_refused(query_string: bytes) -> None:
    assert status_of(parse_query, query_string) in {200, 403}


@given(fields=st.dictionaries(st.sampled_from(Query.__struct_fields__), any_text))
def test_any_query_without_the_token_is_refused(fields: dict[str, str]) -> None:
    assert opened_or_refused(Query(**fields), b"<xml/>") is None


odd_values = st.recursive(
    any_text | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tags, inner, max_size=3),
    max_leaves=6,
)
FIELD_TAGS: Final = [
    "ToUserName",
    "CreateTime",
    "MsgId",
    "MsgID",
    "Content",
    "EventKey",
    "Ticket",
    "Status",
    "Latitude",
    "Location_X",
    "ScanCodeInfo",
    "SendPicsInfo",
    "SendLocationInfo",
    "SubscribeMsgPopupEvent",
    "List",
    "RevokeInfo",
    "ArticleUrlResult",
    "PublishEventInfo",
    "Scale",
    "MediaId",
]
KINDS: Final = [
    "subscribe",
    "unsubscribe",
    "SCAN",
    "LOCATION",
    "CLICK",
    "VIEW",
    "view_miniprogram",
    "scancode_push",
    "pic_weixin",
    "location_select",
    "TEMPLATESENDJOBFINISH",
    "MASSSENDJOBFINISH",
    "subscribe_msg_popup_event",
    "subscribe_msg_sent_event",
    "user_info_modified",
    "user_authorization_revoke",
    "kf_switch_session",
    "FREEPUBLISHJOBFINISH",
    "other",
]


@given(
    kind=st.sampled_from(["text", "image", "voice", "video", "location", "link", "other", "event"]),
    event=st.sampled_from(KINDS),
    values=st.dictionaries(st.sampled_from(FIELD_TAGS), odd_values),
)
def test_odd_content_never_raises(kind: str, event: str, values: dict[str, Any]) -> None:
    fields = {"FromUserName": "o-fan", "MsgType": kind, "Event": event} | values
    message = parse_message(fields)
    assert message.raw is fields
    assert -(1 << 63) <= message.created_at < 1 << 63
    assert message.msg_id is None or 0 < message.msg_id < 1 << 63


@given(values=st.dictionaries(tags, trees, max_size=5), data=st.data())
def test_the_key_of_an_event_does_not_depend_on_order(
    values: dict[str, Any], data: st.DataObject
) -> None:
    fields = {"FromUserName": "o", "MsgType": "event", "Event": "x", "CreateTime": "1"} | values
    order = data.draw(st.permutations(list(fields)))
    shuffled = {tag: fields[tag] for tag in order}
    assert message_key(parse_message(shuffled)) == message_key(parse_message(fields))
    changed = fields | {"EventKey": "another"}
    assert message_key(parse_message(changed)) != message_key(parse_message(fields))

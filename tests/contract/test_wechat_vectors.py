"""The codec against published vectors, read from the folder that O2O_CONTRACT_VECTORS names."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from o2o.wechat.codec import replies as r
from o2o.wechat.codec.cipher import MessageCipher
from o2o.wechat.codec.dedupe import message_key
from o2o.wechat.codec.envelope import AccountKeys, Query, open_envelope, seal_reply
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.messages import InboundMessage, parse_message
from o2o.wechat.codec.signature import is_signed, jsapi_signature, sign
from o2o.wechat.codec.xml import parse_xml

VARIABLE = "O2O_CONTRACT_VECTORS"
FILES = ("callback_signature", "callback_aes", "jssdk_signature", "message_xml", "reply_xml")
Record = dict[str, Any]

# What other SDKs call a value, and where it stands in our messages.
SDK_NAMES = {
    "source": "from_user",
    "target": "to_user",
    "time": "created_at",
    "content": "content",
    "img": "pic_url",
    "scene_id": "scene",
    "ticket": "ticket",
    "latitude": "latitude",
    "longitude": "longitude",
    "precision": "precision",
    "location": "location",
    "scale": "scale",
    "label": "label",
    "title": "title",
    "description": "description",
    "url": "url",
    "key": "key",
    "scan_type": "scan_type",
    "scan_result": "scan_result",
    "count": "count",
    "from_account": "from_kf_account",
    "to_account": "kf_account",
}


def vectors_folder() -> Path | None:
    """The folder of the vectors, None when the environment names none or it does not exist."""
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named and Path(named).is_dir() else None


def check_signature(record: Record) -> None:
    given, expected = record["input"], record["expected"]
    parts = [given["token"], given["timestamp"], given["nonce"]]
    parts += [given["encrypt"]] if record["kind"] == "sha1_sorted4" else []
    signature = expected["msg_signature" if len(parts) == 4 else "signature"]
    assert sign(*parts) == signature
    assert is_signed(signature, *parts)
    assert not is_signed(signature, *parts[:-1], parts[-1] + "x")


def check_signature_refused(record: Record) -> None:
    given = record["input"]
    parts = [given["token"], given["timestamp"], given["nonce"]]
    is_message = record["kind"] == "sha1_sorted4_reject"
    parts += [given["encrypt"]] if is_message else []
    assert record["expected"]["valid"] is False
    assert not is_signed(given["msg_signature" if is_message else "signature"], *parts)


def check_jsapi(record: Record) -> None:
    given = record["input"]
    ticket, nonce, timestamp = given["jsapi_ticket"], given["noncestr"], given["timestamp"]
    expected = record["expected"]["signature"]
    assert jsapi_signature(ticket, nonce, timestamp, url=given["url"]) == expected
    assert jsapi_signature(ticket, nonce, timestamp, url=given["url"] + "#a") == expected


def check_decrypt(record: Record) -> None:
    given, expected = record["input"], record["expected"]
    # Where no appid is given the vector tells what stands at the end of the plaintext.
    cipher = MessageCipher(given["encoding_aes_key"], given.get("appid") or expected["appid"])
    plain = cipher.decrypt(given["encrypt"])
    if "plaintext" in expected:
        assert plain.decode() == expected["plaintext"]
    if "fields" in expected:
        assert parse_xml(plain).items() >= expected["fields"].items()


def check_decrypt_refused(record: Record) -> None:
    given = record["input"]
    assert record["expected"]["valid"] is False
    with pytest.raises(CallbackRefused) as error:
        MessageCipher(given["encoding_aes_key"], given["appid"]).decrypt(given["encrypt"])
    assert error.value.status == 403


def check_encrypt(record: Record) -> None:
    given, expected = record["input"], record["expected"]
    plain, random16 = given["plaintext"].encode(), given["random16"].encode()
    cipher = MessageCipher(given["encoding_aes_key"], given["appid"])
    assert cipher.encrypt(plain, random16) == expected["encrypt"]
    assert cipher.decrypt(expected["encrypt"]) == plain
    if "msg_signature" in expected:
        parts = given["token"], given["timestamp"], given["nonce"], expected["encrypt"]
        assert sign(*parts) == expected["msg_signature"]
    if "reply_xml" in expected:
        check_sealed(given, expected["reply_xml"])


def check_sealed(given: Record, reply_xml: str) -> None:
    account = AccountKeys(
        appid=given["appid"],
        original_id="gh_unused",
        token=given["token"],
        encoding_aes_key=given["encoding_aes_key"],
        mode="safe",
    )
    sealed = seal_reply(
        account,
        given["plaintext"].encode(),
        timestamp=given["timestamp"],
        nonce=given["nonce"],
        random16=given["random16"].encode(),
    )
    assert parse_xml(sealed) == parse_xml(reply_xml.encode())


def check_message(record: Record) -> None:
    body, expected = record["input"]["xml"].encode(), record["expected"]
    fields = parse_xml(body)
    assert fields == expected["fields"]
    if not {"FromUserName", "MsgType"} <= fields.keys():
        with pytest.raises(CallbackRefused):
            parse_message(fields)
        return
    assert opened(fields["ToUserName"], body) == fields
    message = parse_message(fields)
    assert message.raw == fields
    again = parse_xml(body.replace(b"<FromUserName>", b"\n\n<FromUserName>"))
    assert message_key(parse_message(again)) == message_key(message)
    check_sdk_values(message, expected.get("sdk_asserts", {}))
    if "json_twin" in expected:
        twin = expected["json_twin"]
        assert type(parse_message(twin)) is type(message)
        with pytest.raises(CallbackRefused) as error:
            parse_xml(json.dumps(twin).encode())
        assert error.value.code is RefusalCode.JSON_UNSUPPORTED


def opened(to_user: str, body: bytes) -> dict[str, Any]:
    """The fields of the body after a whole journey through an encrypted request."""
    account = AccountKeys(
        appid="wx0123456789abcdef",
        original_id=to_user,
        token="token",
        encoding_aes_key="a" * 43,
        mode="safe",
    )
    sealed = seal_reply(account, body, timestamp=1_700_000_000, nonce="1")
    query = Query(
        timestamp="1700000000", nonce="1", msg_signature=parse_xml(sealed)["MsgSignature"]
    )
    return open_envelope(account, query=query, body=sealed, now=1_700_000_000)


def check_sdk_values(message: InboundMessage, values: dict[str, Any]) -> None:
    """What other SDKs' tests assert of the message, where ours has a field for it."""
    found: dict[str, Any] = {
        name: getattr(message, name) for name in SDK_NAMES.values() if hasattr(message, name)
    }
    if "latitude" in found:
        found["location"] = [found["latitude"], found["longitude"]]
    for name, value in values.items():
        if SDK_NAMES.get(name) in found and value is not None:
            assert found[SDK_NAMES[name]] == value, name
    if "message_id" in values:
        assert values["message_id"] in {message.msg_id, getattr(message, "sent_msg_id", None)}
    if "status" in values and hasattr(message, "succeeded"):
        assert message.succeeded == (values["status"] in {"success", "send success"})
    if "pic_list" in values and hasattr(message, "md5_sums"):
        assert list(message.md5_sums) == [picture["pic_md5_sum"] for picture in values["pic_list"]]


def check_reply(record: Record) -> None:
    fields = parse_xml(record["input"]["xml"].encode())
    assert fields == record["expected"]["fields"]
    reply = reply_of(fields)
    assert r.reply_from_json(r.reply_to_json(reply)) == reply
    rendered = r.render_reply(
        reply,
        to_user=fields["ToUserName"],
        from_user=fields["FromUserName"],
        created_at=int(fields["CreateTime"]),
        answers_message=fields["MsgType"] == "transfer_customer_service",
    )
    assert without_empty(parse_xml(rendered)) == without_empty(fields)


def without_empty(value: Any) -> Any:
    """The same fields without empty elements, which we do not write."""
    if isinstance(value, list):
        return [without_empty(each) for each in value]
    if isinstance(value, dict):
        return {tag: without_empty(each) for tag, each in value.items() if each}
    return value


def reply_of(fields: dict[str, Any]) -> r.AnyReply:
    """Our reply with the content of a published sample."""
    match fields["MsgType"]:
        case "text":
            return r.TextReply(fields["Content"])
        case "image":
            return r.ImageReply(fields["Image"]["MediaId"])
        case "voice":
            return r.VoiceReply(fields["Voice"]["MediaId"])
        case "transfer_customer_service":
            return r.TransferToAgentReply(fields.get("TransInfo", {}).get("KfAccount", ""))
        case _:
            return rich_reply_of(fields)


def rich_reply_of(fields: dict[str, Any]) -> r.AnyReply:
    kind = fields["MsgType"]
    part = fields.get(kind.capitalize(), {})
    texts = {"title": part.get("Title", ""), "description": part.get("Description", "")}
    if kind == "video":
        return r.VideoReply(part["MediaId"], **texts)
    if kind == "music":
        urls = {"music_url": part.get("MusicUrl", ""), "hq_music_url": part.get("HQMusicUrl", "")}
        return r.MusicReply(part["ThumbMediaId"], **texts, **urls)
    assert kind == "news", kind
    items = fields["Articles"]["item"]
    articles = (
        r.NewsArticle(item["Title"], item["Description"], item["PicUrl"], item["Url"])
        for item in (items if isinstance(items, list) else [items])
    )
    return r.NewsReply(tuple(articles))


CHECKS: dict[str, Callable[[Record], None]] = {
    "sha1_sorted3": check_signature,
    "sha1_sorted4": check_signature,
    "sha1_sorted3_reject": check_signature_refused,
    "sha1_sorted4_reject": check_signature_refused,
    "jsapi_sha1": check_jsapi,
    "aes_cbc_decrypt": check_decrypt,
    "aes_cbc_decrypt_reject": check_decrypt_refused,
    "aes_cbc_encrypt": check_encrypt,
    "xml_parse": check_message,
    "reply_xml": check_reply,
}


def faults_of(records: list[Record]) -> list[str]:
    """The records that do not hold, each with what it says; a kind without a check is a fault."""
    faults = []
    for record in records:
        check = CHECKS.get(record["kind"])
        if check is None:
            faults.append(f"{record['id']}: nothing checks the kind {record['kind']}")
            continue
        try:
            check(record)
        except (AssertionError, CallbackRefused, LookupError, ValueError) as error:
            faults.append(f"{record['id']}: {error!r}")
    return faults


@pytest.mark.parametrize("name", FILES)
def test_the_codec_agrees_with_the_published_vectors(
    name: str,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = vectors_folder()
    if folder is None:
        sentence = f"not compared with published vectors: {VARIABLE} names no folder"
        record_property("vectors", sentence)
        if name == FILES[0]:
            with capsys.disabled():
                sys.stdout.write(f"\nThe codec is {sentence}\n")
        return
    records = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    record_property("vectors", f"{name}: {len(records)} compared")
    assert records
    assert faults_of(records) == []


def test_a_kind_that_nothing_checks_is_a_fault() -> None:
    faults = faults_of([{"id": "new", "kind": "rot13", "input": {}, "expected": {}}])
    assert faults == ["new: nothing checks the kind rot13"]


def test_a_record_that_does_not_hold_is_a_fault() -> None:
    given = {"token": "t", "timestamp": "1", "nonce": "2"}
    record = {"id": "odd", "kind": "sha1_sorted3", "input": given, "expected": {"signature": "x"}}
    assert [fault[:5] for fault in faults_of([record])] == ["odd: "]
    right = record | {"expected": {"signature": sign("t", "1", "2")}}
    assert faults_of([right]) == []
    refused = given | {"signature": sign("t", "1", "2")}
    kept = {"id": "k", "kind": "sha1_sorted3_reject", "input": refused}
    assert len(faults_of([kept | {"expected": {"valid": False}}])) == 1

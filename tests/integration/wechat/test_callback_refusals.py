"""Callbacks that are not WeChat's, or not ours: a status, an empty body, and nothing written."""

from typing import Any

import pytest

from o2o.crm.statuses import CallbackMode
from o2o.infra.database import SessionFactory
from o2o.infra.metrics import CALLBACKS
from tests.factories.wechat import Answered, Pusher, sha1_signature, text_fields, xml_of
from tests.fakes.clock import FakeClock
from tests.integration.wechat.conftest import count

MODES = [CallbackMode.SAFE, CallbackMode.COMPATIBLE, CallbackMode.PLAIN]
every_mode = pytest.mark.parametrize("mode", MODES)
plain_mode = pytest.mark.parametrize("mode", [CallbackMode.PLAIN])
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]><xml><MsgType>&j;</MsgType></xml>"
).encode()


async def refused(
    answered: Answered, sessions: SessionFactory, *, status: int, pusher: Pusher, code: str
) -> None:
    assert answered.status == status
    assert answered.body == b""
    for table in ("inbound_messages", "fans", "outbox_messages", "deliveries", "dialogues"):
        assert await count(sessions, table) == 0
    assert CALLBACKS.labels(pusher.account.slug, code)._value.get() == 1


@every_mode
async def test_the_handshake_returns_the_echo_as_it_is(pusher: Pusher) -> None:
    answered = await pusher.request("GET", {**pusher.query(), "echostr": "88+00<&>"})
    assert (answered.status, answered.body) == (200, b"88+00<&>")
    assert answered.headers[b"content-type"] == b"text/plain; charset=utf-8"


async def test_a_handshake_without_echostr(pusher: Pusher, sessions: SessionFactory) -> None:
    answered = await pusher.request("GET", pusher.query())
    await refused(answered, sessions, status=400, pusher=pusher, code="wechat.echostr_missing")


@every_mode
async def test_a_handshake_with_a_wrong_signature(pusher: Pusher, sessions: SessionFactory) -> None:
    query = {**pusher.query(signature="0" * 40), "echostr": "1"}
    answered = await pusher.request("GET", query)
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.signature_invalid")


@plain_mode
async def test_a_message_with_a_wrong_signature(pusher: Pusher, sessions: SessionFactory) -> None:
    answered = await pusher.push(text_fields(pusher.account), signature="0" * 40)
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.signature_invalid")


@every_mode
@pytest.mark.parametrize("seconds", [-301, 301])
async def test_an_old_or_future_timestamp(
    pusher: Pusher, sessions: SessionFactory, clock: FakeClock, seconds: int
) -> None:
    timestamp = str(int(clock.now().timestamp()) + seconds)
    answered = await pusher.push(text_fields(pusher.account), timestamp=timestamp)
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.replayed")


@plain_mode
@pytest.mark.parametrize(
    "body, status, code",
    [
        (b"", 400, "wechat.body_empty"),
        (b" \r\n", 400, "wechat.body_empty"),
        (b"<xml><Content><![CDATA[never closed</Content></xml>", 400, "wechat.xml_broken"),
        (b"<xml><MsgType>text</MsgType></xml>", 403, "wechat.account_unknown"),
        (BOMB, 400, "wechat.dtd_forbidden"),
        (
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml>&e;</xml>',
            400,
            "wechat.dtd_forbidden",
        ),
        (b"<xml>" + b"x" * (1 << 20) + b"</xml>", 413, "wechat.body_too_large"),
        (b"<xml>" + b"<a>" * 9 + b"</a>" * 9 + b"</xml>", 413, "wechat.body_too_large"),
        (b"<xml><Content>\xff\xfe</Content></xml>", 400, "wechat.encoding_invalid"),
        (b"<xml><Content>a\x00b</Content></xml>", 400, "wechat.encoding_invalid"),
        (b'{"MsgType":"text"}', 400, "wechat.json_unsupported"),
    ],
)
async def test_bodies_that_cannot_be_read(
    pusher: Pusher, sessions: SessionFactory, body: bytes, status: int, code: str
) -> None:
    answered = await pusher.request("POST", pusher.query(), body)
    await refused(answered, sessions, status=status, pusher=pusher, code=code)


@plain_mode
async def test_a_large_body_in_pieces_is_refused_while_it_comes(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    body = b"<xml>" + b"x" * (3 << 20)
    answered = await pusher.request("POST", pusher.query(), body, chunks=30)
    await refused(answered, sessions, status=413, pusher=pusher, code="wechat.body_too_large")


async def test_a_wrong_message_signature_is_refused_before_decryption(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    answered = await pusher.push(text_fields(pusher.account), msg_signature="f" * 40)
    await refused(
        answered, sessions, status=403, pusher=pusher, code="wechat.message_signature_invalid"
    )


def encrypted(pusher: Pusher, encrypt: str) -> tuple[dict[str, str], bytes]:
    return pusher.query(encrypt), xml_of(
        {"ToUserName": pusher.account.original_id, "Encrypt": encrypt}
    )


@pytest.mark.parametrize("encrypt", ["not base64!", "AAAA", "A" * 44])
async def test_what_cannot_be_decrypted_is_one_uniform_refusal(
    pusher: Pusher, sessions: SessionFactory, encrypt: str
) -> None:
    answered = await pusher.request("POST", *encrypted(pusher, encrypt))
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.decrypt_failed")


async def test_a_message_for_another_appid(pusher: Pusher, sessions: SessionFactory) -> None:
    from o2o.wechat.codec.cipher import MessageCipher  # noqa: PLC0415

    key = pusher.account.keys.encoding_aes_key
    assert key is not None
    foreign = MessageCipher(key, "wx0000000000000000")
    encrypt = foreign.encrypt(xml_of(text_fields(pusher.account)))
    answered = await pusher.request("POST", *encrypted(pusher, encrypt))
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.appid_mismatch")


@every_mode
async def test_a_message_to_another_account(pusher: Pusher, sessions: SessionFactory) -> None:
    fields = {**text_fields(pusher.account), "ToUserName": "gh_somebodyelse"}
    answered = await pusher.push(fields)
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.account_unknown")


async def test_an_unencrypted_message_in_safe_mode(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    answered = await pusher.request("POST", pusher.query(), xml_of(text_fields(pusher.account)))
    await refused(
        answered, sessions, status=403, pusher=pusher, code="wechat.message_signature_invalid"
    )


@plain_mode
@pytest.mark.parametrize(
    "change, code",
    [
        ({"FromUserName": "o" * 129}, "wechat.xml_broken"),
        ({"FromUserName": ""}, "wechat.xml_broken"),
        ({"MsgType": ""}, "wechat.xml_broken"),
    ],
)
async def test_messages_without_a_usable_sender_or_kind(
    pusher: Pusher, sessions: SessionFactory, change: dict[str, Any], code: str
) -> None:
    answered = await pusher.push({**text_fields(pusher.account), **change})
    await refused(answered, sessions, status=400, pusher=pusher, code=code)


@plain_mode
@pytest.mark.parametrize("nonce", ["a\x00b", "n" * 129])
async def test_a_nonce_no_index_can_hold(
    pusher: Pusher, sessions: SessionFactory, nonce: str
) -> None:
    answered = await pusher.push(text_fields(pusher.account), nonce=nonce)
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.signature_invalid")


async def test_an_account_nobody_registered(pusher: Pusher, sessions: SessionFactory) -> None:
    query, body = pusher.sealed(text_fields(pusher.account))
    answered = await pusher.request("POST", query, body, slug="nobody")
    assert (answered.status, answered.body) == (403, b"")
    assert await count(sessions, "inbound_messages") == 0


async def test_other_methods(pusher: Pusher, sessions: SessionFactory) -> None:
    answered = await pusher.request("PUT", pusher.query(), b"<xml></xml>")
    assert (answered.status, answered.body) == (405, b"")
    assert await count(sessions, "inbound_messages") == 0


@plain_mode
async def test_an_empty_token_accepts_nobody(pusher: Pusher, sessions: SessionFactory) -> None:
    query = pusher.query()
    query["signature"] = sha1_signature("", query["timestamp"], query["nonce"])
    answered = await pusher.request("POST", query, xml_of(text_fields(pusher.account)))
    await refused(answered, sessions, status=403, pusher=pusher, code="wechat.signature_invalid")

"""Accounts, messages and signed requests as WeChat would send them, for the codec's tests."""

from typing import Any, Final

import pytest

from o2o.wechat.codec.cipher import MessageCipher
from o2o.wechat.codec.envelope import AccountKeys, MessageMode, Query
from o2o.wechat.codec.errors import CallbackRefused
from o2o.wechat.codec.messages import InboundMessage, parse_message
from o2o.wechat.codec.signature import sign
from o2o.wechat.codec.xml import parse_xml

APPID: Final = "wx0123456789abcdef"
ORIGINAL_ID: Final = "gh_0123456789ab"
TOKEN: Final = "a-token-of-the-tests"
AES_KEY: Final = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OPENID: Final = "o-fan-0000000000000000000001"
NONCE: Final = "415670741"
NOW: Final = 1_700_000_000

TEXT_XML: Final = (
    f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>\n"
    f"<FromUserName><![CDATA[{OPENID}]]></FromUserName>\n"
    f"<CreateTime>{NOW}</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
    "<Content><![CDATA[排队 2人]]></Content>\n<MsgId>4561255354251345929</MsgId>\n</xml>"
).encode()


def account_in(mode: MessageMode) -> AccountKeys:
    return AccountKeys(
        appid=APPID,
        original_id=ORIGINAL_ID,
        token=TOKEN,
        encoding_aes_key=None if mode == "plain" else AES_KEY,
        mode=mode,
    )


def encrypted(xml: bytes, *, appid: str = APPID) -> str:
    return MessageCipher(AES_KEY, appid).encrypt(xml)


def outer_xml(encrypt: str, *, to_user: str = ORIGINAL_ID) -> bytes:
    return (
        f"<xml>\n    <ToUserName><![CDATA[{to_user}]]></ToUserName>\n"
        f"    <Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>\n"
    ).encode()


def plain_query(*, at: int = NOW, nonce: str = NONCE, token: str = TOKEN) -> Query:
    return Query(signature=sign(token, str(at), nonce), timestamp=str(at), nonce=nonce)


def safe_query(encrypt: str, *, at: int = NOW, token: str = TOKEN) -> Query:
    """As in safe mode, where the plain signature comes along and says nothing about the body."""
    return Query(
        signature=sign(token, str(at), NONCE),
        timestamp=str(at),
        nonce=NONCE,
        msg_signature=sign(token, str(at), NONCE, encrypt),
        encrypt_type="aes",
        openid=OPENID,
    )


def fields_of(inner: str, *, msg_type: str = "event", head: str = "") -> dict[str, Any]:
    """Parsed fields of a message with the usual header and the given elements."""
    return parse_xml(
        f"<xml><ToUserName>{ORIGINAL_ID}</ToUserName><FromUserName>{OPENID}</FromUserName>"
        f"<CreateTime>{NOW}</CreateTime><MsgType>{msg_type}</MsgType>{head}{inner}</xml>".encode()
    )


def message_of(inner: str, *, msg_type: str) -> InboundMessage:
    return parse_message(fields_of(inner, msg_type=msg_type))


def event_of(event: str, inner: str = "") -> InboundMessage:
    return parse_message(fields_of(inner, head=f"<Event>{event}</Event>"))


def refused(error: pytest.ExceptionInfo[CallbackRefused]) -> tuple[str, int]:
    """The code and the HTTP status of a refusal."""
    return str(error.value.code), error.value.status

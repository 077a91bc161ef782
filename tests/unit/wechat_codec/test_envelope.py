"""Opening requests in every mode, sealing replies, and the handshake."""

import pytest

from o2o.wechat.codec.envelope import (
    AccountKeys,
    Query,
    answer_handshake,
    open_envelope,
    parse_query,
    seal_reply,
)
from o2o.wechat.codec.errors import CallbackRefused
from o2o.wechat.codec.signature import sign
from o2o.wechat.codec.xml import parse_xml
from tests.unit.wechat_codec.samples import (
    AES_KEY,
    APPID,
    NONCE,
    NOW,
    OPENID,
    ORIGINAL_ID,
    TEXT_XML,
    TOKEN,
    account_in,
    encrypted,
    outer_xml,
    plain_query,
    refused,
    safe_query,
)

FIELDS = {
    "ToUserName": ORIGINAL_ID,
    "FromUserName": OPENID,
    "CreateTime": str(NOW),
    "MsgType": "text",
    "Content": "排队 2人",
    "MsgId": "4561255354251345929",
}


def test_a_plain_message_is_opened() -> None:
    query = plain_query()
    assert open_envelope(account_in("plain"), query=query, body=TEXT_XML, now=NOW) == FIELDS


@pytest.mark.parametrize("mode", ["safe", "compatible"])
def test_an_encrypted_message_is_opened(mode: str) -> None:
    encrypt = encrypted(TEXT_XML)
    account = account_in("safe" if mode == "safe" else "compatible")
    body = outer_xml(encrypt)
    assert open_envelope(account, query=safe_query(encrypt), body=body, now=NOW) == FIELDS
    without_type = Query(
        timestamp=str(NOW), nonce=NONCE, msg_signature=sign(TOKEN, str(NOW), NONCE, encrypt)
    )
    assert open_envelope(account, query=without_type, body=body, now=NOW) == FIELDS


def test_compatible_mode_reads_the_encrypted_part_and_not_what_stands_beside_it() -> None:
    encrypt = encrypted(TEXT_XML)
    forged = TEXT_XML.replace("排队 2人".encode(), b"forged")
    body = forged.replace(b"</xml>", f"<Encrypt>{encrypt}</Encrypt></xml>".encode())
    account = account_in("compatible")
    assert open_envelope(account, query=safe_query(encrypt), body=body, now=NOW) == FIELDS


def test_compatible_mode_takes_a_plain_message_too() -> None:
    account = account_in("compatible")
    assert open_envelope(account, query=plain_query(), body=TEXT_XML, now=NOW) == FIELDS
    body = TEXT_XML.replace(b"</xml>", b"<Encrypt>QUJD</Encrypt></xml>")
    assert open_envelope(account, query=plain_query(), body=body, now=NOW) == FIELDS


def test_the_clocks_may_differ_by_five_minutes() -> None:
    account = account_in("plain")
    for now in (NOW - 300, NOW + 300):
        assert open_envelope(account, query=plain_query(), body=TEXT_XML, now=now) == FIELDS
    for now in (NOW - 301, NOW + 301):
        with pytest.raises(CallbackRefused) as error:
            open_envelope(account, query=plain_query(), body=TEXT_XML, now=now)
        assert refused(error) == ("wechat.replayed", 403)


def test_the_handshake_returns_echostr_as_it_is() -> None:
    signed = plain_query()
    query = Query(
        signature=signed.signature, timestamp=str(NOW), nonce=NONCE, echostr="5837397 <&>随机"
    )
    for account in (account_in("plain"), account_in("compatible"), account_in("safe")):
        assert answer_handshake(account, query=query, now=NOW) == "5837397 <&>随机"


def test_a_sealed_reply_is_read_by_whoever_has_the_keys() -> None:
    account = account_in("safe")
    assert account.cipher is not None
    sealed = seal_reply(account, b"<xml><a>1</a></xml>", timestamp=NOW, nonce="n-1")
    fields = parse_xml(sealed)
    assert account.cipher.decrypt(fields["Encrypt"]) == b"<xml><a>1</a></xml>"
    expected = sign(TOKEN, str(NOW), "n-1", fields["Encrypt"])
    assert fields["MsgSignature"] == expected
    assert (fields["TimeStamp"], fields["Nonce"]) == (str(NOW), "n-1")


def test_the_sealed_form_is_byte_for_byte_the_published_one() -> None:
    account = account_in("compatible")
    assert account.cipher is not None
    random = b"1234567890123456"
    encrypt = account.cipher.encrypt(b"<xml/>", random)
    signature = sign(TOKEN, str(NOW), "9", encrypt)
    assert (
        seal_reply(account, b"<xml/>", timestamp=str(NOW), nonce="9", random16=random)
        == (
            f"<xml>\n<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>\n"
            f"<TimeStamp>{NOW}</TimeStamp>\n<Nonce><![CDATA[9]]></Nonce>\n</xml>"
        ).encode()
    )


def test_plain_replies_and_empty_ones_are_not_encrypted() -> None:
    assert seal_reply(account_in("plain"), b"<xml/>", timestamp=NOW, nonce="9") == b"<xml/>"
    for nothing in (b"", b"success"):
        assert seal_reply(account_in("safe"), nothing, timestamp=NOW, nonce="9") == nothing


def test_a_nonce_cannot_break_out_of_the_sealed_reply() -> None:
    sealed = seal_reply(account_in("safe"), b"<xml/>", timestamp=NOW, nonce="]]></Nonce><x>")
    assert parse_xml(sealed)["Nonce"] == "]]></Nonce><x>"


def test_a_query_string_is_read_and_decoded() -> None:
    raw = b"signature=ab&timestamp=1&nonce=n%2B1&msg_signature=cd&encrypt_type=aes&openid=o&x=1&x=2"
    assert parse_query(raw) == Query(
        signature="ab",
        timestamp="1",
        nonce="n+1",
        msg_signature="cd",
        encrypt_type="aes",
        openid="o",
    )
    assert parse_query(b"echostr=a+b%20c%E6%8E%92&nonce&=&&signature==") == Query(
        echostr="a b c排", signature="="
    )
    assert parse_query(b"") == Query()
    assert parse_query(b"nonce=\xff%ff%zz").nonce == "ÿ\ufffd%zz"


@pytest.mark.parametrize("raw", [b"nonce=1&nonce=1", b"signature=a&nonce=1&signature=b"])
def test_a_repeated_parameter_is_refused(raw: bytes) -> None:
    with pytest.raises(CallbackRefused) as error:
        parse_query(raw)
    assert refused(error) == ("wechat.signature_invalid", 403)


def test_keys_are_checked_where_they_are_needed() -> None:
    for key in (None, "", "short"):
        with pytest.raises(ValueError, match="EncodingAESKey"):
            AccountKeys(APPID, ORIGINAL_ID, TOKEN, encoding_aes_key=key, mode="safe")
    assert AccountKeys(APPID, ORIGINAL_ID, TOKEN, encoding_aes_key="short").cipher is None
    with pytest.raises(ValueError, match="mode is 'open'"):
        AccountKeys(APPID, ORIGINAL_ID, TOKEN, mode="open")  # type: ignore[arg-type]  # Refused.


def test_secrets_do_not_show_when_an_account_is_printed() -> None:
    account = account_in("safe")
    shown = f"{account!r} {account} {account.__rich_repr__()} {account.cipher!r}"
    assert APPID in shown
    assert TOKEN not in shown
    assert AES_KEY not in shown

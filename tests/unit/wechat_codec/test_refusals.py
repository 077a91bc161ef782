"""The catalogue of bad callbacks: each is refused with its own code, and forged ones all alike."""

from collections.abc import Callable

import pytest

from o2o.wechat.codec.envelope import AccountKeys, Query, answer_handshake, open_envelope
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.signature import sign
from tests.unit.wechat_codec.samples import (
    APPID,
    NONCE,
    NOW,
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

Refusal = tuple[str, int]
SIGNATURE: Refusal = ("wechat.signature_invalid", 403)
MESSAGE_SIGNATURE: Refusal = ("wechat.message_signature_invalid", 403)
UNKNOWN: Refusal = ("wechat.account_unknown", 403)


def plain(body: bytes, query: Query | None = None) -> Refusal:
    with pytest.raises(CallbackRefused) as error:
        open_envelope(account_in("plain"), query=query or plain_query(), body=body, now=NOW)
    return refused(error)


def safe(body: bytes, query: Query) -> Refusal:
    """The refusal in safe mode, which is that of compatible mode for an encrypted request."""
    found = set()
    for account in (account_in("safe"), account_in("compatible")):
        with pytest.raises(CallbackRefused) as error:
            open_envelope(account, query=query, body=body, now=NOW)
        found.add(refused(error))
    assert len(found) == 1
    return found.pop()


def sealed(inner: bytes) -> tuple[bytes, Query]:
    encrypt = encrypted(inner)
    return outer_xml(encrypt), safe_query(encrypt)


def handshake(query: Query) -> Refusal:
    with pytest.raises(CallbackRefused) as error:
        answer_handshake(account_in("safe"), query=query, now=NOW)
    return refused(error)


def test_1_a_handshake_without_echostr() -> None:
    assert handshake(plain_query()) == ("wechat.echostr_missing", 400)
    assert handshake(Query()) == ("wechat.echostr_missing", 400)


def test_2_a_wrong_signature() -> None:
    wrong = plain_query(token="another-token")
    assert plain(TEXT_XML, wrong) == SIGNATURE
    shaken = Query(echostr="1", timestamp=str(NOW), nonce=NONCE, signature=wrong.signature)
    assert handshake(shaken) == SIGNATURE


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(signature=sign(TOKEN, str(NOW), ""), timestamp=str(NOW)),
        Query(signature=sign(TOKEN, "", NONCE), nonce=NONCE),
        Query(timestamp=str(NOW), nonce=NONCE),
        *(
            Query(signature=sign(TOKEN, odd, NONCE), timestamp=odd, nonce=NONCE)
            for odd in (
                "now",
                "-1",
                "1.5",
                f"{NOW}0000000",
                f" {NOW}",
                "１７００００００００",
                "1e9",
            )
        ),
    ],
)
def test_2_missing_and_unreadable_parameters(query: Query) -> None:
    assert plain(TEXT_XML, query) == SIGNATURE
    for account in (account_in("safe"), account_in("compatible")):
        with pytest.raises(CallbackRefused) as error:
            open_envelope(account, query=query, body=outer_xml(encrypted(TEXT_XML)), now=NOW)
        assert error.value.status == 403


def test_2_an_account_without_token_refuses_everybody() -> None:
    nobody = AccountKeys(appid=APPID, original_id=ORIGINAL_ID, token="")
    query = plain_query(token="")
    with pytest.raises(CallbackRefused) as error:
        open_envelope(nobody, query=query, body=TEXT_XML, now=NOW)
    assert refused(error) == SIGNATURE


def test_3_an_old_request_is_a_replay_even_when_signed() -> None:
    replayed = ("wechat.replayed", 403)
    assert plain(TEXT_XML, plain_query(at=NOW - 301)) == replayed
    assert plain(TEXT_XML, plain_query(at=0)) == replayed
    encrypt = encrypted(TEXT_XML)
    assert safe(outer_xml(encrypt), safe_query(encrypt, at=NOW + 301)) == replayed
    old = plain_query(at=NOW - 301)
    shaken = Query(echostr="1", timestamp=old.timestamp, nonce=NONCE, signature=old.signature)
    assert handshake(shaken) == replayed


BROKEN: list[tuple[bytes, Refusal]] = [
    (b"", ("wechat.body_empty", 400)),
    (TEXT_XML.replace(b"]]></Content>", b"</Content>"), ("wechat.xml_broken", 400)),
    (b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + TEXT_XML, ("wechat.dtd_forbidden", 400)),
    (b"<xml>" + b"x" * (1 << 20) + b"</xml>", ("wechat.body_too_large", 413)),
    (b"<xml>" + b"<a>" * 9, ("wechat.body_too_large", 413)),
    (TEXT_XML.replace(b"\xe6", b"\xff"), ("wechat.encoding_invalid", 400)),
    (TEXT_XML.replace(b"2", b"\0"), ("wechat.encoding_invalid", 400)),
    (b'{"ToUserName":"gh"}', ("wechat.json_unsupported", 400)),
]


@pytest.mark.parametrize("body, refusal", BROKEN)
def test_4_to_8_unreadable_bodies_signed_and_encrypted(body: bytes, refusal: Refusal) -> None:
    assert plain(body) == refusal
    assert safe(body, safe_query("QUJD")) == refusal
    if len(body) < 1 << 20:
        assert safe(*sealed(body)) == refusal


@pytest.mark.parametrize("body, refusal", BROKEN)
def test_4_to_8_unreadable_plain_bodies_of_strangers_are_not_read(
    body: bytes, refusal: Refusal
) -> None:
    assert plain(body, plain_query(token="another-token")) == SIGNATURE


def test_9_a_wrong_message_signature_is_refused_before_decryption() -> None:
    for encrypt in (encrypted(TEXT_XML), "not base64!", "QUJD"):
        query = safe_query(encrypt, token="another-token")
        assert safe(outer_xml(encrypt), query) == MESSAGE_SIGNATURE
        other = safe_query(encrypted(TEXT_XML))
        assert safe(outer_xml(encrypt), other) == MESSAGE_SIGNATURE


def test_9_the_plain_signature_is_no_substitute() -> None:
    signed = plain_query()
    query = Query(
        signature=signed.signature,
        timestamp=signed.timestamp,
        nonce=NONCE,
        msg_signature=signed.signature,
        encrypt_type="aes",
    )
    assert safe(outer_xml(encrypted(TEXT_XML)), query) == MESSAGE_SIGNATURE


def flipped(encrypt: str, index: int) -> str:
    return encrypt[:index] + ("A" if encrypt[index] != "A" else "B") + encrypt[index + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _encrypt: "密文!",
        lambda encrypt: encrypt[:-4],
        lambda encrypt: encrypt[:20],
        lambda encrypt: flipped(encrypt, len(encrypt) - 6),
        lambda encrypt: flipped(encrypt, 24),
        lambda _encrypt: "QUJD" * 16,
    ],
)
def test_10_signed_rubbish_is_one_refusal(spoil: Callable[[str], str]) -> None:
    encrypt = spoil(encrypted(TEXT_XML))
    code, status = safe(outer_xml(encrypt), safe_query(encrypt))
    assert status == 403
    assert code in {
        RefusalCode.DECRYPT_FAILED,
        RefusalCode.LENGTH_ILLEGAL,
        RefusalCode.APPID_MISMATCH,
    }


def test_11_another_appid_inside() -> None:
    encrypt = encrypted(TEXT_XML, appid="wxffffffffffffffff")
    refusal = safe(outer_xml(encrypt), safe_query(encrypt))
    assert refusal == ("wechat.appid_mismatch", 403)


@pytest.mark.parametrize(
    "to_user", [b"gh_another", b"", ORIGINAL_ID.upper().encode(), b"</ToUserName><ToUserName>x"]
)
def test_21_another_addressee(to_user: bytes) -> None:
    body = TEXT_XML.replace(f"<![CDATA[{ORIGINAL_ID}]]>".encode(), to_user)
    assert plain(body) == UNKNOWN
    assert safe(*sealed(body)) == UNKNOWN


def test_21_no_addressee() -> None:
    name = f"<ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>".encode()
    assert name in TEXT_XML
    assert plain(TEXT_XML.replace(name, b"")) == UNKNOWN
    assert plain(b"<xml/>") == UNKNOWN


def test_21_another_addressee_on_the_envelope() -> None:
    encrypt = encrypted(TEXT_XML)
    assert safe(outer_xml(encrypt, to_user="gh_another"), safe_query(encrypt)) == UNKNOWN
    body = f"<xml><Encrypt>{encrypt}</Encrypt></xml>".encode()
    fields = open_envelope(account_in("safe"), query=safe_query(encrypt), body=body, now=NOW)
    assert fields["ToUserName"] == ORIGINAL_ID


def test_an_account_that_does_not_know_its_own_id_takes_nothing() -> None:
    account = AccountKeys(appid=APPID, original_id="", token=TOKEN)
    for body in (TEXT_XML, TEXT_XML.replace(ORIGINAL_ID.encode(), b""), b"<xml/>"):
        with pytest.raises(CallbackRefused) as error:
            open_envelope(account, query=plain_query(), body=body, now=NOW)
        assert refused(error) == UNKNOWN


@pytest.mark.parametrize("encrypt_type", ["", "raw", "aes"])
def test_safe_mode_refuses_what_is_not_encrypted(encrypt_type: str) -> None:
    signed = plain_query()
    query = Query(
        signature=signed.signature,
        timestamp=signed.timestamp,
        nonce=NONCE,
        encrypt_type=encrypt_type,
    )
    for body in (TEXT_XML, b"<xml><Encrypt/></xml>", b"<xml><Encrypt><a/></Encrypt></xml>"):
        with pytest.raises(CallbackRefused) as error:
            open_envelope(account_in("safe"), query=query, body=body, now=NOW)
        assert refused(error) == MESSAGE_SIGNATURE


def test_a_repeated_encrypt_is_refused() -> None:
    encrypt = encrypted(TEXT_XML)
    twice = f"<Encrypt>{encrypt}</Encrypt>" * 2
    assert safe(f"<xml>{twice}</xml>".encode(), safe_query(encrypt)) == MESSAGE_SIGNATURE


def test_an_encrypted_body_at_a_plain_account_says_what_is_wrong() -> None:
    encrypt = encrypted(TEXT_XML)
    assert plain(outer_xml(encrypt), safe_query(encrypt)) == ("wechat.decrypt_failed", 403)


def test_every_code_has_a_status_and_a_plain_name() -> None:
    for code in RefusalCode:
        refusal = CallbackRefused(code)
        assert refusal.status in {400, 403, 413}
        assert str(refusal) == code.value
        assert code.value.startswith("wechat.")
    assert str(CallbackRefused(RefusalCode.REPLAYED, "timestamp")) == "wechat.replayed: timestamp"

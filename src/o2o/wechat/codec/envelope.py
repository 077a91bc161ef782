"""Opens a callback request down to its verified fields, and seals the reply to it."""

import re
from typing import Any, Final, Literal
from urllib.parse import unquote_plus

from msgspec import Struct
from msgspec.structs import force_setattr

from o2o.wechat.codec.cipher import MessageCipher
from o2o.wechat.codec.errors import CallbackRefused, RefusalCode
from o2o.wechat.codec.replies import NOTHING_TO_SAY, cdata
from o2o.wechat.codec.signature import is_signed, sign
from o2o.wechat.codec.xml import parse_outer, parse_xml

MessageMode = Literal["plain", "compatible", "safe"]

CLOCK_SKEW_SECONDS_MAX: Final = 300
_MODES: Final = frozenset({"plain", "compatible", "safe"})
_TIMESTAMP_LENGTH_MAX: Final = 12


class AccountKeys(Struct, frozen=True):
    """What one official account's callbacks are verified with; build it once, then share it."""

    appid: str
    original_id: str
    """``gh_…``, the ToUserName of everything sent to the account."""
    token: str
    encoding_aes_key: str | None = None
    mode: MessageMode = "plain"
    cipher: MessageCipher | None = None
    """Made from the key unless the mode is plain; not to be passed."""

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown mode, and for a missing or malformed key in use."""
        if self.mode not in _MODES:
            msg = f"mode is {self.mode!r}"
            raise ValueError(msg)
        if self.mode != "plain":
            force_setattr(self, "cipher", MessageCipher(self.encoding_aes_key or "", self.appid))

    def __repr__(self) -> str:
        return f"AccountKeys(appid={self.appid!r}, mode={self.mode!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Tracebacks that print local variables must not print the token and the key either."""
        return [("appid", self.appid), ("mode", self.mode)]


class Query(Struct, frozen=True, gc=False):
    """The parameters of a callback's URL; what is not there is empty."""

    signature: str = ""
    timestamp: str = ""
    nonce: str = ""
    msg_signature: str = ""
    encrypt_type: str = ""
    echostr: str = ""
    openid: str = ""


_PARAMETERS: Final = frozenset(Query.__struct_fields__)
# As WeChat writes a message's: in this order and with nothing to decode.
_USUAL_QUERY: Final = re.compile(
    "signature=([0-9a-f]{40})&timestamp=([0-9]+)&nonce=([0-9A-Za-z]+)"
    "(?:&openid=([0-9A-Za-z_-]+))?(?:&encrypt_type=([a-z]+)&msg_signature=([0-9a-f]{40}))?"
)


def parse_query(query_string: bytes) -> Query:
    """The parameters out of a raw query string; unknown ones are passed over.

    Raises CallbackRefused (signature_invalid) for a repeated one: two readers could each verify
    another.
    """
    text = query_string.decode("latin-1")
    if (usual := _USUAL_QUERY.fullmatch(text)) is not None:
        signature, timestamp, nonce, openid, encrypt_type, msg_signature = usual.groups("")
        return Query(signature, timestamp, nonce, msg_signature, encrypt_type, "", openid)
    values: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name not in _PARAMETERS:
            continue
        if name in values:
            raise CallbackRefused(RefusalCode.SIGNATURE_INVALID, "repeated parameter")
        values[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return Query(**values)


def answer_handshake(account: AccountKeys, *, query: Query, now: int) -> str:
    """The echostr to return as it is when WeChat verifies the callback's address.

    ``now`` is seconds since 1970. Signed like a plain message whatever the mode. Raises
    CallbackRefused: echostr_missing, replayed, signature_invalid.
    """
    if not query.echostr:
        raise CallbackRefused(RefusalCode.ECHOSTR_MISSING)
    _check_parameters(query, now=now)
    _check_signature(account, query)
    return query.echostr


def open_envelope(account: AccountKeys, *, query: Query, body: bytes, now: int) -> dict[str, Any]:
    """The fields of a message that WeChat sent to this account just now.

    ``now`` is seconds since 1970. The order is: parameters, freshness, signature, content,
    addressee. An encrypted message is verified by ``msg_signature`` before it is decrypted, and
    then nothing around it counts; in compatible mode too. Raises CallbackRefused with the code of
    the first thing wrong.
    """
    _check_parameters(query, now=now)
    if account.cipher is not None and _is_encrypted(account, query):
        fields = _open_encrypted(account, account.cipher, query=query, body=body)
    else:
        fields = _open_plain(account, query=query, body=body)
    _check_addressee(account, fields.get("ToUserName"))
    return fields


def seal_reply(
    account: AccountKeys,
    xml: bytes,
    *,
    timestamp: int | str,
    nonce: str,
    random16: bytes | None = None,
) -> bytes:
    """The response body for a rendered reply: encrypted and signed unless the mode is plain.

    Nothing and ``success`` are never encrypted. ``random16`` is for tests.
    """
    if account.cipher is None or xml in {b"", NOTHING_TO_SAY}:
        return xml
    stamp = str(int(timestamp))
    encrypt = account.cipher.encrypt(xml, random16)
    signature = sign(account.token, stamp, nonce, encrypt)
    return (
        f"<xml>\n<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n"
        f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>\n"
        f"<TimeStamp>{stamp}</TimeStamp>\n<Nonce>{cdata(nonce)}</Nonce>\n</xml>"
    ).encode()


def _check_parameters(query: Query, *, now: int) -> None:
    timestamp = query.timestamp
    is_number = (
        timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_LENGTH_MAX
    )
    if not is_number or not query.nonce:
        raise CallbackRefused(RefusalCode.SIGNATURE_INVALID, "timestamp or nonce")
    if abs(now - int(timestamp)) > CLOCK_SKEW_SECONDS_MAX:
        raise CallbackRefused(RefusalCode.REPLAYED, "timestamp")


def _check_signature(account: AccountKeys, query: Query) -> None:
    if not is_signed(query.signature, account.token, query.timestamp, query.nonce):
        raise CallbackRefused(RefusalCode.SIGNATURE_INVALID)


def _check_addressee(account: AccountKeys, to_user: object) -> None:
    if not to_user or to_user != account.original_id:
        raise CallbackRefused(RefusalCode.ACCOUNT_UNKNOWN, "ToUserName")


def _is_encrypted(account: AccountKeys, query: Query) -> bool:
    # In safe mode the query has no say: nothing unencrypted is taken.
    return account.mode == "safe" or query.encrypt_type == "aes" or bool(query.msg_signature)


def _open_plain(account: AccountKeys, *, query: Query, body: bytes) -> dict[str, Any]:
    _check_signature(account, query)
    fields = parse_xml(body)
    if fields.pop("Encrypt", None) is not None and "MsgType" not in fields:
        raise CallbackRefused(
            RefusalCode.DECRYPT_FAILED, "encrypted, but the account's mode is plain"
        )
    return fields


def _open_encrypted(
    account: AccountKeys, cipher: MessageCipher, *, query: Query, body: bytes
) -> dict[str, Any]:
    outer = parse_outer(body)
    encrypt = outer.get("Encrypt")
    if not isinstance(encrypt, str) or not encrypt:
        raise CallbackRefused(RefusalCode.MESSAGE_SIGNATURE_INVALID, "not encrypted")
    if not is_signed(query.msg_signature, account.token, query.timestamp, query.nonce, encrypt):
        raise CallbackRefused(RefusalCode.MESSAGE_SIGNATURE_INVALID)
    if "ToUserName" in outer:
        _check_addressee(account, outer["ToUserName"])
    return parse_xml(cipher.decrypt(encrypt))

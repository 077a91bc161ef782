"""One callback on the wire: its query, signatures and body in plain, compatible and safe mode."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from wechat_sandbox import codec, wire_xml
from wechat_sandbox.accounts import Account


@dataclass(frozen=True, slots=True)
class Packet:
    """What is posted to the callback address."""

    query: dict[str, str]
    body: bytes


def _fresh_query(account: Account) -> dict[str, str]:
    """A signed timestamp and nonce: the machine's time, by which the receiver judges freshness."""
    timestamp = str(int(time.time()))
    nonce = str(secrets.randbelow(9 * 10**8) + 10**8)
    return {
        "signature": codec.signature(account.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
    }


def handshake_query(account: Account, echostr: str) -> dict[str, str]:
    """The query of the GET that proves the address is the account's own."""
    return _fresh_query(account) | {"echostr": echostr}


def seal(account: Account, *, openid: str, message: dict[str, Any]) -> Packet:
    """The same message gets a new signature and ciphertext at each try."""
    query = _fresh_query(account) | {"openid": openid}
    plain = wire_xml.build(message)
    if account.mode == "plain":
        return Packet(query=query, body=plain.encode())
    encrypted = codec.encrypt(plain, encoding_aes_key=account.encoding_aes_key, appid=account.appid)
    query |= {
        "encrypt_type": "aes",
        "msg_signature": codec.signature(
            account.token, query["timestamp"], query["nonce"], encrypted
        ),
    }
    fields: dict[str, Any] = (
        dict(message) if account.mode == "compatible" else {"ToUserName": message["ToUserName"]}
    )
    return Packet(query=query, body=wire_xml.build(fields | {"Encrypt": encrypted}).encode())

"""What WeChat sends, built beforehand: signed, AES-encrypted text messages as HTTP requests.

Written from WeChat's own description and apart from the product's codec, so that a mistake there
does not meet the same mistake here; answers are opened with wechatpy.
"""

import hashlib
import secrets
import time
from base64 import b64decode, b64encode

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import to_text

PAD_BLOCK = 32
# As many people write as a busy account sees in a minute; each is known after the first message.
PEOPLE = 2000
CONTENT = "你好"


class ChatAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials that WeChat and every contestant share."""

    slug: str
    appid: str
    original_id: str
    token: str
    aes_key: str

    @property
    def path(self) -> str:
        """Where the product is called back; the peers answer at any path."""
        return f"/wechat/{self.slug}/callback"


def new_account() -> ChatAccount:
    """Make up an account of the right shapes."""
    return ChatAccount(
        slug="bench",
        appid=f"wx{secrets.token_hex(8)}",
        original_id=f"gh_{secrets.token_hex(6)}",
        token=secrets.token_hex(16),
        # 43 characters whose last one carries two spare bits, as real keys have.
        aes_key=b64encode(secrets.token_bytes(32)).decode().rstrip("="),
    )


def text_message(account: ChatAccount, *, person: int, message_id: int, now: int) -> bytes:
    """Write the XML inside the envelope."""
    return (
        f"<xml><ToUserName><![CDATA[{account.original_id}]]></ToUserName>\n"
        f"<FromUserName><![CDATA[o{person:027d}]]></FromUserName>\n"
        f"<CreateTime>{now}</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n"
        f"<Content><![CDATA[{CONTENT}]]></Content>\n<MsgId>{message_id}</MsgId>\n</xml>"
    ).encode()


class Sealer:
    """Encrypts, signs and addresses messages of one account."""

    def __init__(self, account: ChatAccount) -> None:
        """Build the key once."""
        self._account = account
        key = b64decode(account.aes_key + "=")
        self._cipher = Cipher(AES(key), CBC(key[:16]))
        self._appid = account.appid.encode()

    def request(self, xml: bytes, *, now: int) -> bytes:
        """Return the whole HTTP request of one message."""
        encrypted = self._encrypted(xml)
        nonce = secrets.token_hex(5)
        body = (
            f"<xml><ToUserName><![CDATA[{self._account.original_id}]]></ToUserName>\n"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>\n</xml>"
        ).encode()
        token, stamp = self._account.token, str(now)
        query = (
            f"signature={_signature(token, stamp, nonce)}&timestamp={stamp}&nonce={nonce}"
            f"&encrypt_type=aes&msg_signature={_signature(token, stamp, nonce, encrypted)}"
        )
        head = (
            f"POST {self._account.path}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _encrypted(self, xml: bytes) -> str:
        plain = secrets.token_bytes(16) + len(xml).to_bytes(4, "big") + xml + self._appid
        pad = PAD_BLOCK - len(plain) % PAD_BLOCK
        encryptor = self._cipher.encryptor()
        return b64encode(encryptor.update(plain + bytes([pad]) * pad)).decode()


def _signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class Messages:
    """Ever new messages: no MsgId is used twice in a run."""

    def __init__(self, account: ChatAccount) -> None:
        """Start at a number of today's, as WeChat does."""
        self._account = account
        self._sealer = Sealer(account)
        self._next_id = time.time_ns()

    def requests(self, count: int) -> list[bytes]:
        """Build so many requests, signed now (they are fresh for five minutes)."""
        now = int(time.time())
        first = self._next_id
        self._next_id += count
        return [
            self._sealer.request(
                text_message(self._account, person=i % PEOPLE, message_id=i, now=now), now=now
            )
            for i in range(first, first + count)
        ]


class ReplyCheck:
    """Opens an encrypted text reply: signature, appid, kind, who to whom."""

    def __init__(self, account: ChatAccount) -> None:
        """Use wechatpy's codec, which is nobody's here."""
        self._account = account
        self._crypto = WeChatCrypto(account.token, account.aes_key, account.appid)

    def __call__(self, body: bytes) -> None:
        """Open one answer. Raises ValueError when it is no text reply from the account."""
        outer = to_text(body)
        xml = to_text(
            self._crypto.decrypt_message(
                outer,
                _between(outer, "MsgSignature"),
                _between(outer, "TimeStamp"),
                _between(outer, "Nonce"),
            )
        )
        is_text = _between(xml, "MsgType") == "text" and _between(xml, "Content")
        if not is_text or _between(xml, "FromUserName") != self._account.original_id:
            msg = f"not a text reply of the account: {xml[:400]}"
            raise ValueError(msg)


def _between(xml: str, tag: str) -> str:
    _, _, rest = xml.partition(f"<{tag}>")
    value, _, _ = rest.partition(f"</{tag}>")
    return value.strip().removeprefix("<![CDATA[").removesuffix("]]>")
